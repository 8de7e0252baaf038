import type { Container, Pod } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { somePod } from '../../test/plan-kit.js';
import type { PersistentVolume } from './claims.js';
import { emptyDirMount, tmpfsOptions } from './empty-dir.js';
import { isMountPoint, mountOf, mountsBelow, parseMountTable } from './mount-table.js';
import { groupMode, podOwnership } from './ownership.js';
import { planDevices, planMounts } from './plan-mounts.js';
import { planVolumes, type VolumePlan } from './plan-volumes.js';

const limited = (memory?: string, more: Partial<Container> = {}): Container => ({ name: 'c', ...(memory ? { resources: { limits: { memory } } } : {}), ...more });

describe('planVolumes', () => {
  const claimed = (spec: PersistentVolume['spec'], readOnly = false): VolumePlan | undefined =>
    planVolumes('/r', somePod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'x', readOnly } }] }), new Map([['v', { metadata: { name: 'pv' }, spec }]]))[0];

  it('[edged-28.1] knows the kinds behind claims, and says which one it does not know', () => {
    expect(claimed({ local: { path: '/disk' } })).toMatchObject({ path: '/r/pods/u/volumes/kubernetes.io~local-volume/pv', grouped: true, source: { kind: 'local', from: '/disk' } });
    expect(claimed({ hostPath: { path: '/data', type: 'Directory' } }, true)).toMatchObject({ path: '/data', readOnly: true, grouped: false });
    expect(claimed({ nfs: { server: 'fe80::1', path: '/x' }, mountOptions: ['hard'] }, true)).toMatchObject({ source: { from: '[fe80::1]:/x', options: ['hard', 'ro'] } });
    expect(claimed({ local: { path: '/dev/sdx' }, volumeMode: 'Block' })).toMatchObject({ path: '/dev/sdx', source: { kind: 'device' } });
    expect(() => claimed({ iscsi: {}, accessModes: [] })).toThrow('persistent volumes of kind iscsi');
  });

  it('[edged-28.2] a volume without a source is an emptyDir; names that would lead elsewhere are refused', () => {
    expect(planVolumes('/r', somePod({ volumes: [{ name: 'v' }] }))[0]?.source).toEqual({ kind: 'emptyDir', medium: '' });
    expect(() => planVolumes('/r', somePod({ volumes: [{ name: '../../x', emptyDir: {} }] }))).toThrow('cannot be the name');
    expect(() => planVolumes('/r', somePod({ volumes: [{ name: 'v', emptyDir: {} }] }, {}, { uid: '..' }))).toThrow('cannot be the name');
  });
});

describe('planMounts', () => {
  const plans = planVolumes('/r', somePod({ volumes: [{ name: 'c', configMap: { name: 'x' } }, { name: 'e', emptyDir: {} }] }));
  const mounts = (mount: Partial<NonNullable<Container['volumeMounts']>[number]>, env = {}) =>
    planMounts({ name: 'c', volumeMounts: [{ name: 'e', mountPath: '/m', ...mount }] }, plans, new Map(Object.entries(env)));

  it('[edged-28.3] what comes from objects is read-only whatever the container asks; sub paths are expanded and stay inside', () => {
    expect(mounts({ name: 'c' })[0]?.readOnly).toBe(true);
    expect(mounts({ subPathExpr: '$(A)/$$(B)' }, { A: 'x' })[0]?.subPath).toBe('x/$(B)');
    for (const [subPathExpr, A] of [['$(A)', '..'], ['$(A)/x', '']] as const) expect(() => mounts({ subPathExpr }, { A })).toThrow('would leave');
    expect(() => mounts({ subPathExpr: '$(Z)/x' })).toThrow('names Z');
    expect(() => mounts({ name: 'z' })).toThrow('mounts volume "z", which the pod does not have');
  });

  it('[edged-28.4] recursively read-only has to be read-only and without propagation', () => {
    expect(mounts({ readOnly: true, recursiveReadOnly: 'IfPossible' })[0]?.recursiveReadOnly).toBe('ifPossible');
    expect(() => mounts({ recursiveReadOnly: 'Enabled' })).toThrow('not readOnly');
    expect(() => mounts({ readOnly: true, recursiveReadOnly: 'Enabled', mountPropagation: 'HostToContainer' })).toThrow('propagation');
  });

  it('[edged-28.5] block devices are given as devices and files as mounts, not the other way round', () => {
    const block: VolumePlan = { name: 'b', path: '/dev/x', readOnly: true, grouped: false, source: { kind: 'device' } };
    expect(planDevices({ name: 'c', volumeDevices: [{ name: 'b', devicePath: '/dev/in' }] }, [block])).toEqual([{ containerPath: '/dev/in', hostPath: '/dev/x', permissions: 'r' }]);
    expect(() => planDevices({ name: 'c', volumeDevices: [{ name: 'e', devicePath: '/dev/in' }] }, plans)).toThrow('holds files');
    expect(() => planMounts({ name: 'c', volumeMounts: [{ name: 'b', mountPath: '/m' }] }, [block], new Map())).toThrow('block device');
  });
});

describe('emptyDir in memory', () => {
  it.each<[string, Pod, string | undefined, string | undefined, string[]]>([
    ['the limit of the volume', somePod({ containers: [limited('2Mi')] }), '1Mi', '1Gi', [`size=${1 << 20}`]],
    ['the limits of all containers', somePod({ containers: [limited('2Mi'), limited('1Mi')] }), '1Gi', '1Gi', [`size=${3 << 20}`]],
    ['the largest init container', somePod({ initContainers: [limited('9Mi')], containers: [limited('2Mi')] }), undefined, '1Gi', [`size=${9 << 20}`]],
    ['sidecars beside the containers', somePod({ initContainers: [limited('1Mi', { restartPolicy: 'Always' })], containers: [limited('2Mi')] }), undefined, '1Gi', [`size=${3 << 20}`]],
    ['the node, when a container has no limit', somePod({ containers: [limited('2Mi'), limited()] }), undefined, '1Gi', [`size=${1 << 30}`]],
    ['nothing that is known', somePod(), undefined, undefined, []],
  ])('[edged-28.6] is as large as %s allows', (_, pod, sizeLimit, allocatable, expected) => {
    expect(tmpfsOptions(pod, sizeLimit, allocatable, '5.10.0')).toEqual(expected);
  });

  it('[edged-28.7] never goes to swap where the kernel can forbid it; huge pages have the size that the pod requests', () => {
    for (const [kernel, can] of [['6.4.0', true], ['10.0', true], ['6.3.9', false], ['5.15.0-generic', false]] as const) {
      expect(tmpfsOptions(somePod(), undefined, undefined, kernel).includes('noswap')).toBe(can);
    }
    const huge = (medium: string, ...sizes: string[]) => {
      const limits = Object.fromEntries(sizes.map((size) => [`hugepages-${size}`, '4Mi']));
      return emptyDirMount(somePod({ containers: [{ name: 'c', resources: { limits } }] }), 'v', medium, undefined, undefined);
    };
    expect(huge('HugePages', '2Mi')).toEqual({ type: 'hugetlbfs', options: ['pagesize=2Mi'] });
    expect(huge('HugePages-1Gi', '2Mi', '1Gi')).toEqual({ type: 'hugetlbfs', options: ['pagesize=1Gi'] });
    expect(() => huge('HugePages', '2Mi', '1Gi')).toThrow('several sizes');
    expect(() => huge('HugePages-1Gi', '2Mi')).toThrow('no container requests');
    expect(() => huge('Disk')).toThrow('no medium "Disk"');
    expect(huge('')).toBeUndefined();
  });
});

it('[edged-28.8] the owner of a token is known when all containers run as one user', () => {
  const user = (pod: number | undefined, ...containers: (number | undefined)[]) =>
    podOwnership(
      somePod({
        ...(pod === undefined ? {} : { securityContext: { runAsUser: pod } }),
        containers: containers.map((runAsUser, index) => ({ name: `${index}`, ...(runAsUser === undefined ? {} : { securityContext: { runAsUser } }) })),
      }),
    ).user;
  expect([user(1, undefined, 1), user(undefined, 0), user(1, 2), user(undefined, 1, undefined), user(1)]).toEqual([1, 0, 2, undefined, undefined]);
  expect([groupMode(0o400, 'file', true), groupMode(0o600, 'file', false), groupMode(0o755, 'directory', false), groupMode(0o1777, 'directory', false)].map((mode) => mode.toString(8))).toEqual(['440', '660', '2775', '3777']);
});

it('[edged-28.9] the mount table: tags of any number, names with blanks, the innermost mount', () => {
  const table = parseMountTable(
    [
      '27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw',
      '30 27 0:25 / /r/pods/u/v rw master:2 - tmpfs tmpfs rw,size=4k',
      '31 30 0:26 /sub /r/pods/u/v/with\\040blank rw - ext4 /dev/x rw',
      '',
    ].join('\n'),
  );
  expect(table.map(({ propagation }) => propagation)).toEqual(['shared', 'slave', 'private']);
  expect(mountsBelow(table, '/r/pods/u').map(({ mountPoint }) => mountPoint)).toEqual(['/r/pods/u/v/with blank', '/r/pods/u/v']);
  expect([mountOf(table, '/r/pods/u/v/x')?.filesystem, mountOf(table, '/r/pods/u/vx')?.mountPoint]).toEqual(['tmpfs', '/']);
  expect([isMountPoint(table, '/r/pods/u/v'), isMountPoint(table, '/r/pods/u')]).toEqual([true, false]);
});
