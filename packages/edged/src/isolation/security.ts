import type { ContainerSecurity, RuntimeImage, SandboxSecurity } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { CannotStart } from '../errors.js';
import { apparmorProfile, seccompProfile } from './profiles.js';

/** What of security is the same for all pods of this node. */
export interface SecuritySettings {
  readonly seccompRoot: string;
  readonly seccompDefault: boolean;
  /** Hidden in addition to what is hidden everywhere. */
  readonly throttlePaths: readonly string[];
}

export type ImageUser = Pick<RuntimeImage, 'uid' | 'username'>;

/** What would tell a container about the machine, or let it change the machine. */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/**
 * As whom and with which rights a container runs: what it says itself goes before what the pod says.
 * @throws CannotStart `CreateContainerConfigError` when it must not run as root and would, or nobody can tell
 */
export function containerSecurity(
  pod: Pod,
  container: Container,
  image: ImageUser,
  settings: SecuritySettings,
): ContainerSecurity {
  const ofPod = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  const runAsUser = own.runAsUser ?? ofPod.runAsUser;
  const runAsGroup = own.runAsGroup ?? ofPod.runAsGroup;
  const selinux = own.seLinuxOptions ?? ofPod.seLinuxOptions;
  const apparmor = apparmorProfile(pod, container);
  const unmasked = own.procMount === 'Unmasked';
  const { add, drop } = own.capabilities ?? {};
  refuseRoot(pod, container, image);
  return {
    ...(runAsUser === undefined ? imageUser(image) : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: groups(pod),
    ...(own.privileged === undefined ? {} : { privileged: own.privileged }),
    ...(own.readOnlyRootFilesystem === undefined ? {} : { readonlyRootfs: own.readOnlyRootFilesystem }),
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    ...(add ? { addCapabilities: add } : {}),
    ...(drop ? { dropCapabilities: drop } : {}),
    ...(selinux ? { selinux } : {}),
    seccomp: seccompProfile(pod, container, settings.seccompRoot, settings.seccompDefault),
    ...(apparmor ? { apparmor } : {}),
    maskedPaths: unmasked ? [] : [...MASKED_PATHS, ...settings.throttlePaths],
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
  };
}

/** As whom and with which rights the sandbox's own process runs. It is always filtered: it has little to do. */
export function sandboxSecurity(pod: Pod): SandboxSecurity {
  const { runAsUser, runAsGroup, seLinuxOptions } = pod.spec.securityContext ?? {};
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])];
  return {
    privileged: containers.some(({ securityContext }) => securityContext?.privileged === true),
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: groups(pod),
    ...(seLinuxOptions ? { selinux: seLinuxOptions } : {}),
    seccomp: { type: 'runtimeDefault' },
  };
}

function groups(pod: Pod): number[] {
  const { fsGroup, supplementalGroups = [] } = pod.spec.securityContext ?? {};
  return fsGroup === undefined ? [...supplementalGroups] : [fsGroup, ...supplementalGroups];
}

/** As whom the image runs by itself; one that says nothing runs as root. */
function imageUser({ uid, username }: ImageUser): Pick<ContainerSecurity, 'runAsUser' | 'runAsUsername'> {
  if (uid !== undefined) return { runAsUser: uid };
  return username ? { runAsUsername: username } : { runAsUser: 0 };
}

function refuseRoot(pod: Pod, container: Container, image: ImageUser): void {
  const ofPod = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  if (!(own.runAsNonRoot ?? ofPod.runAsNonRoot)) return;
  const refuse = (why: string): never => {
    throw new CannotStart('CreateContainerConfigError', `container ${container.name} has runAsNonRoot and ${why}`);
  };
  const wanted = own.runAsUser ?? ofPod.runAsUser;
  if (wanted === 0) refuse('its runAsUser is 0, which is root');
  if (wanted !== undefined) return;
  const { runAsUser, runAsUsername } = imageUser(image);
  if (runAsUser === 0) refuse('its image runs as root: set runAsUser, or give the image another user');
  if (runAsUsername !== undefined) refuse(`its image has a non-numeric user (${runAsUsername}), which may be root: set runAsUser`);
}
