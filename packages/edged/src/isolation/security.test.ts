import { describe, expect, it } from 'vitest';
import type { Container, PodSpec, SecurityContext } from '@edge/protocol';
import { somePod } from '../../test/plan-kit.js';
import { CannotStart } from '../errors.js';
import { containerSecurity, sandboxSecurity, type ImageUser, type SecuritySettings } from './security.js';

const settings: SecuritySettings = { seccompRoot: '/root/seccomp', seccompDefault: false, throttlePaths: ['/sys/devices/system/cpu/cpu0/thermal_throttle'] };

interface Scene {
  readonly own?: SecurityContext;
  readonly ofPod?: PodSpec['securityContext'];
  readonly image?: ImageUser;
  readonly annotations?: Record<string, string>;
  readonly settings?: Partial<SecuritySettings>;
}

function secure({ own, ofPod, image = { uid: 0 }, annotations = {}, settings: over = {} }: Scene): ReturnType<typeof containerSecurity> {
  const container: Container = { name: 'c', ...(own ? { securityContext: own } : {}) };
  const pod = somePod({ containers: [container], ...(ofPod ? { securityContext: ofPod } : {}) }, {}, { annotations });
  return containerSecurity(pod, container, image, { ...settings, ...over });
}

describe('containerSecurity', () => {
  it('[edged-25.1] takes what the container says, then what the pod says, then what the image says', () => {
    expect(secure({ own: { runAsUser: 1, runAsGroup: 2 }, ofPod: { runAsUser: 3, runAsGroup: 4 } })).toMatchObject({ runAsUser: 1, runAsGroup: 2 });
    expect(secure({ ofPod: { runAsUser: 3, runAsGroup: 4 } })).toMatchObject({ runAsUser: 3, runAsGroup: 4 });
    expect(secure({ image: { uid: 7 } }).runAsUser).toBe(7);
    expect(secure({ image: { username: 'web' } })).toMatchObject({ runAsUsername: 'web' });
    expect(secure({ image: { username: 'web' } }).runAsUser).toBeUndefined();
    expect(secure({ image: {} }).runAsUser).toBe(0);
  });

  it.each<[string, Scene, RegExp | undefined]>([
    ['runAsUser is 0', { own: { runAsNonRoot: true, runAsUser: 0 } }, /runAsUser is 0/],
    ["the pod's runAsUser is 0", { ofPod: { runAsNonRoot: true, runAsUser: 0 } }, /runAsUser is 0/],
    ['the image runs as root', { ofPod: { runAsNonRoot: true }, image: { uid: 0 } }, /image runs as root/],
    ['the image names no user', { own: { runAsNonRoot: true }, image: {} }, /image runs as root/],
    ['the image names a user by name', { own: { runAsNonRoot: true }, image: { username: 'web' } }, /non-numeric user \(web\)/],
    ['the image has a user by number', { own: { runAsNonRoot: true }, image: { uid: 5 } }, undefined],
    ['the container overrides the image', { ofPod: { runAsNonRoot: true }, own: { runAsUser: 9 }, image: { uid: 0 } }, undefined],
    ['the container takes the demand back', { ofPod: { runAsNonRoot: true }, own: { runAsNonRoot: false } }, undefined],
  ])('[edged-25.2] with runAsNonRoot refuses root or what may be root: %s', (_title, scene, refused) => {
    if (refused === undefined) {
      expect(() => secure(scene)).not.toThrow();
      return;
    }
    let error: unknown;
    try {
      secure(scene);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CannotStart);
    expect(error).toMatchObject({ reason: 'CreateContainerConfigError', message: expect.stringMatching(refused) as string });
  });

  it('[edged-25.3] passes capabilities, privilege, a read-only root and no-new-privileges on', () => {
    expect(
      secure({ own: { privileged: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } } }),
    ).toMatchObject({ privileged: true, readonlyRootfs: true, noNewPrivileges: true, addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] });
    expect(secure({}).noNewPrivileges).toBe(false);
    expect(secure({ own: { allowPrivilegeEscalation: true } }).noNewPrivileges).toBe(false);
  });

  it('[edged-25.4] gives the fsGroup and the supplemental groups of the pod', () => {
    expect(secure({ ofPod: { fsGroup: 10, supplementalGroups: [11, 12] } }).supplementalGroups).toEqual([10, 11, 12]);
    expect(secure({}).supplementalGroups).toEqual([]);
  });

  it('[edged-25.5] hides what tells of the machine, unless the container wants /proc unmasked', () => {
    const usual = secure({});
    expect(usual.maskedPaths).toEqual(expect.arrayContaining(['/proc/kcore', '/proc/interrupts', '/sys/firmware', '/sys/devices/system/cpu/cpu0/thermal_throttle']));
    expect(usual.readonlyPaths).toEqual(['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']);
    expect(secure({ own: { procMount: 'Default' } }).maskedPaths).toEqual(usual.maskedPaths);
    expect(secure({ own: { procMount: 'Unmasked' } })).toMatchObject({ maskedPaths: [], readonlyPaths: [] });
  });

  it.each<[string, Scene, unknown]>([
    ['nothing said', {}, { type: 'unconfined' }],
    ['nothing said, seccompDefault', { settings: { seccompDefault: true } }, { type: 'runtimeDefault' }],
    ['pod', { ofPod: { seccompProfile: { type: 'RuntimeDefault' } } }, { type: 'runtimeDefault' }],
    [
      'container before pod',
      { ofPod: { seccompProfile: { type: 'RuntimeDefault' } }, own: { seccompProfile: { type: 'Unconfined' } }, settings: { seccompDefault: true } },
      { type: 'unconfined' },
    ],
    ['a file', { own: { seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' } } }, { type: 'localhost', localhostRef: '/root/seccomp/a/b.json' }],
  ])('[edged-25.6] chooses the system call filter: %s', (_title, scene, seccomp) => {
    expect(secure(scene).seccomp).toEqual(seccomp);
  });

  it.each<[string, Scene, unknown]>([
    ['nothing said', {}, undefined],
    ['pod', { ofPod: { appArmorProfile: { type: 'RuntimeDefault' } } }, { type: 'runtimeDefault' }],
    ['a loaded profile', { own: { appArmorProfile: { type: 'Localhost', localhostProfile: 'p' } } }, { type: 'localhost', localhostRef: 'p' }],
    ['annotation', { annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'localhost/p' } }, { type: 'localhost', localhostRef: 'p' }],
    [
      'field before annotation',
      { own: { appArmorProfile: { type: 'Unconfined' } }, annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'runtime/default' } },
      { type: 'unconfined' },
    ],
  ])('[edged-25.7] chooses the AppArmor profile: %s', (_title, scene, apparmor) => {
    expect(secure(scene).apparmor).toEqual(apparmor);
  });

  it('[edged-25.8] does not start a container whose profile is named by halves', () => {
    expect(() => secure({ own: { seccompProfile: { type: 'Localhost' } } })).toThrow(CannotStart);
    expect(() => secure({ annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'odd' } })).toThrow(CannotStart);
  });

  it('[edged-25.9] takes the SELinux label of the container before that of the pod', () => {
    expect(secure({ own: { seLinuxOptions: { level: 's1' } }, ofPod: { seLinuxOptions: { level: 's2' } } }).selinux).toEqual({ level: 's1' });
    expect(secure({ ofPod: { seLinuxOptions: { level: 's2' } } }).selinux).toEqual({ level: 's2' });
  });
});

describe('sandboxSecurity', () => {
  it('[edged-25.10] filters the sandbox always and makes it privileged when any container is', () => {
    const privileged = { name: 'x', securityContext: { privileged: true } };
    expect(sandboxSecurity(somePod({ securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, seLinuxOptions: { level: 's0' } } }))).toEqual({
      privileged: false,
      runAsUser: 1,
      runAsGroup: 2,
      supplementalGroups: [3],
      selinux: { level: 's0' },
      seccomp: { type: 'runtimeDefault' },
    });
    expect(sandboxSecurity(somePod({ initContainers: [privileged] })).privileged).toBe(true);
    expect(sandboxSecurity(somePod({ ephemeralContainers: [privileged] })).privileged).toBe(true);
  });
});
