import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PersistentVolume } from '../src/volumes/claims.js';
import { controlVolume } from '../src/volumes/csi/csi-controller.js';
import { attachmentName, CsiVolumes } from '../src/volumes/csi/csi-volumes.js';
import { CsiDrivers } from '../src/volumes/csi/drivers.js';
import { CONTROLLER, NODE_PUBLISH } from '../src/volumes/csi/messages.js';
import { decode, encode, fromJson } from '../src/volumes/csi/wire.js';
import { mountsBelow, readMountTable } from '../src/volumes/mount-table.js';
import { openMounter, type Mounter } from '../src/volumes/mounter.js';
import { Volumes } from '../src/volumes/volumes.js';
import { TestDriver } from './csi-driver.js';
import { somePod } from './plan-kit.js';

const signal = new AbortController().signal;
const facts = { nodeName: 'edge-1', hostIPs: [], podIPs: [], allocatable: {} };

let root: string;
let mounter: Mounter;
let driver: TestDriver;
let attachments: Map<string, object>;
let claimed: Map<string, PersistentVolume>;

const open = (): Volumes =>
  new Volumes({
    root,
    objects: { fetch: async () => new Map([['secret/key', { metadata: {}, data: { password: Buffer.from('s3cret').toString('base64') } }]]) } as never,
    tokens: { forVolume: async () => new Map() } as never,
    claims: { forPod: async () => claimed } as never,
    csi: new CsiVolumes({
      drivers: new CsiDrivers({ root, log: silentLogger }),
      meta: { request: async (_: string, resource: string) => attachments.get(resource) ?? { ErrStatus: { reason: 'NotFound', code: 404 } } } as never,
      objects: { fetch: async () => new Map([['secret/key', { metadata: {}, data: { password: Buffer.from('s3cret').toString('base64') } }]]) } as never,
      nodeName: 'edge-1',
    }),
    mounter,
    recursiveReadOnly: async () => false,
    labels: false,
    log: silentLogger,
  });

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'edged-csi-')));
  const opened = await openMounter();
  if (!opened) throw new Error('these tests mount: they need root, and mount and umount of util-linux (Debian package mount)');
  mounter = opened;
  attachments = new Map();
  claimed = new Map();
  await mkdir(join(root, 'plugins_registry'));
  driver = new TestDriver({ name: 'disk.test', disk: join(root, 'disk'), mounter });
  await driver.listen(join(root, 'plugins_registry/disk.test-reg.sock'));
});

afterEach(async () => {
  driver.stop();
  for (const { mountPoint } of mountsBelow(await readMountTable(), root)) await mounter.unmount(mountPoint, true);
  await rm(root, { recursive: true });
});

const persistent = (more: object = {}): PersistentVolume => ({
  metadata: { name: 'pv-1' },
  spec: { accessModes: ['ReadWriteOnce'], mountOptions: ['noatime'], csi: { driver: 'disk.test', volumeHandle: 'vol/1', fsType: 'ext4', volumeAttributes: { a: 'b' }, nodeStageSecretRef: { name: 'key', namespace: 'ns' }, ...more } },
});
const podWith = (uid: string, more: Partial<Pod['spec']> = {}): Pod => somePod({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'x' } }], ...more }, {}, { uid });

describe('volumes of CSI drivers', () => {
  it('[edged-28.40] are staged once, published for each pod, given to its group, and taken back with the last one, also after a restart', async () => {
    claimed.set('data', persistent());
    attachments.set(`default/volumeattachment/${attachmentName('vol/1', 'disk.test', 'edge-1')}`, { metadata: {}, status: { attached: true, attachmentMetadata: { device: '/dev/x' } } });
    const volumes = open();
    const [first] = await volumes.prepare(podWith('u1', { securityContext: { fsGroup: 99 } }), facts, signal);
    await volumes.prepare(podWith('u2'), facts, signal);
    await volumes.prepare(podWith('u2'), facts, signal);
    expect(driver.methods()).toEqual(['GetInfo', 'NotifyRegistrationStatus', 'NodeStageVolume', 'NodePublishVolume', 'NodeStageVolume', 'NodePublishVolume']);
    const [, stage] = driver.calls.find(([method]) => method === 'NodeStageVolume') ?? [];
    expect(stage).toEqual({
      volume_id: 'vol/1',
      publish_context: { device: '/dev/x' },
      staging_target_path: expect.stringMatching(/plugins\/kubernetes\.io\/csi\/disk\.test\/[0-9a-f]{64}\/globalmount$/) as string,
      volume_capability: { mount: { fs_type: 'ext4', mount_flags: ['noatime'] }, access_mode: { mode: 1 } },
      secrets: { password: 's3cret' },
      volume_context: { a: 'b' },
    });
    const at = join(root, 'pods/u1/volumes/kubernetes.io~csi/pv-1');
    expect([first?.path, (await stat(join(at, 'mount'))).gid]).toEqual([join(at, 'mount'), 99]);
    expect(JSON.parse(await readFile(join(at, 'vol_data.json'), 'utf8'))).toMatchObject({ driverName: 'disk.test', volumeHandle: 'vol/1', specVolID: 'pv-1', volumeLifecycleMode: 'Persistent' });
    await writeFile(join(at, 'mount/file'), 'kept');

    await volumes.release('u1', signal);
    expect(driver.methods().at(-1)).toBe('NodeUnpublishVolume');
    // Another run of the agent knows from the disk what there is.
    await open().remove('u2', signal);
    expect(driver.methods().slice(-2)).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume']);
    expect(mountsBelow(await readMountTable(), root)).toEqual([]);
    expect([await readdir(join(root, 'plugins/kubernetes.io/csi/disk.test')), await readdir(join(root, 'pods'))]).toEqual([[], ['u1']]);
    expect(await readdir(join(root, 'disk/vol/1'))).toEqual(['file']);
  });

  it('[edged-28.41] inline ones are the pod\'s own; what the driver says and that it is missing is told; a volume has to be attached first', async () => {
    driver.nodeCapabilities = [];
    const volumes = open();
    const inline = somePod({ volumes: [{ name: 'i', csi: { driver: 'disk.test', volumeAttributes: { size: '1' }, nodePublishSecretRef: { name: 'key' } } }] });
    await volumes.prepare(inline, facts, signal);
    const [, publish] = driver.calls.find(([method]) => method === 'NodePublishVolume') ?? [];
    expect(publish).toMatchObject({ volume_id: expect.stringMatching(/^csi-[0-9a-f]{64}$/) as string, secrets: { password: 's3cret' }, volume_context: { size: '1', 'csi.storage.k8s.io/pod.name': 'p', 'csi.storage.k8s.io/ephemeral': 'true' } });
    await volumes.remove('u', signal);
    expect(driver.methods()).not.toContain('NodeStageVolume');

    claimed.set('data', persistent({ driver: 'other.test' }));
    await expect(volumes.prepare(podWith('u1'), facts, signal)).rejects.toMatchObject({ code: 'edged.csi', message: expect.stringContaining('driver name other.test not found') as string });
    claimed.set('data', persistent());
    attachments.set(`default/volumeattachment/${attachmentName('vol/1', 'disk.test', 'edge-1')}`, { metadata: {}, status: { attached: false } });
    await expect(volumes.prepare(podWith('u1'), facts, signal)).rejects.toThrow('not attached to this node yet');
    attachments.clear();
    driver.failing = { method: 'NodePublishVolume', text: 'disk on fire' };
    await expect(volumes.prepare(podWith('u1'), facts, signal)).rejects.toThrow('INTERNAL: disk on fire');
    driver.failing = undefined;
    await volumes.prepare(podWith('u1'), facts, signal);
    driver.failing = { method: 'NodeUnpublishVolume', text: 'busy' };
    await expect(volumes.remove('u1', signal)).rejects.toThrow('INTERNAL: busy');
    expect(mountsBelow(await readMountTable(), root)).toHaveLength(1);
    driver.failing = undefined;
    await volumes.remove('u1', signal);
    expect(await readdir(join(root, 'pods'))).toEqual([]);
  });

  it('[edged-28.42] operations of the cloud reach the driver, and the answer has the names that the cloud reads', async () => {
    const drivers = new CsiDrivers({ root, log: silentLogger });
    const request = '{"name":"pvc-1","capacityRange":{"requiredBytes":"50000000000"},"volumeCapabilities":[{"mount":{"fsType":"ext4"},"accessMode":{"mode":"MULTI_NODE_MULTI_WRITER"}}],"parameters":{"p":"q"}}';
    expect(await controlVolume(drivers, 'createvolume', request, signal)).toEqual({ volume: { volume_id: 'id-of-pvc-1', capacity_bytes: 5e10, volume_context: { of: 'test' } } });
    expect(driver.calls.at(-1)).toEqual(['CreateVolume', { name: 'pvc-1', capacity_range: { required_bytes: 5e10 }, volume_capabilities: [{ mount: { fs_type: 'ext4' }, access_mode: { mode: 5 } }], parameters: { p: 'q' } }]);
    // It cannot attach, so there is nothing to do.
    expect(await controlVolume(drivers, 'controllerpublishvolume', '{"volumeId":"v"}', signal)).toEqual({});
    expect(await controlVolume(drivers, 'deletevolume', '{"volumeId":"v"}', signal)).toEqual({});
    await expect(controlVolume(drivers, 'createvolume', 'x', signal)).rejects.toMatchObject({ code: 'edged.bad-answer' });
    driver.stop();
    await rm(join(root, 'plugins_registry'), { recursive: true });
    await expect(controlVolume(drivers, 'deletevolume', '{"volumeId":"v"}', signal)).rejects.toMatchObject({ code: 'edged.csi' });
  });

  it('[edged-28.43] messages are Protocol Buffers: known bytes, unknown fields, broken ones', () => {
    const bytes = encode(NODE_PUBLISH, { volume_id: 'v', target_path: '/t', readonly: true, volume_context: { a: 'b', c: '' }, volume_capability: { mount: {}, access_mode: { mode: 300 } } });
    expect(bytes.toString('hex')).toBe('0a01762202' + '2f74' + '2a07' + '1200' + '1a0308ac02' + '3001' + '4206' + '0a0161120162' + '4203' + '0a0163');
    expect(decode(NODE_PUBLISH, bytes)).toEqual({ volume_id: 'v', target_path: '/t', readonly: true, volume_context: { a: 'b', c: '' }, volume_capability: { mount: {}, access_mode: { mode: 300 } } });
    expect(decode({ x: { number: 1, type: 'number' } }, Buffer.from('9801ff0f' + '0d00000000' + '0900000000000000000' + '8ffffffffffffffffff01', 'hex'))).toEqual({ x: -1 });
    for (const broken of ['0a05', '08', 'ff', '0f']) expect(() => decode(NODE_PUBLISH, Buffer.from(broken, 'hex'))).toThrow('no message of its protocol');
    expect(fromJson(CONTROLLER.ControllerPublishVolume.request, { volumeId: 'v', node_id: 'n', readonly: true, other: 1 })).toEqual({ volume_id: 'v', node_id: 'n', readonly: true });
  });
});
