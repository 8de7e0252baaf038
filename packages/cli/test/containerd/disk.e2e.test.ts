import { startContainerd } from '@edge/testing';
import type { ConfigMap, Pod } from '@edge/protocol';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from '../support/agent.js';
import { attempts, podOn } from '../support/containers.js';
import { NODE, openScene } from '../support/scene.js';

/** Pressure on a disk of a few megabytes is not what this is about. */
const withoutEviction = (text: string): string => {
  const config = parse(text) as { modules: { edged: { tailoredKubeletConfig: Record<string, unknown> } } };
  config.modules.edged.tailoredKubeletConfig['evictionHard'] = { 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%', 'memory.available': '1Mi' };
  return stringify(config);
};

it('[faults-7] a full disk below the pods: a new pod waits and says why, the others run on, and it starts when there is room', { timeout: 180_000 }, async () => {
  await using containerd = await startContainerd();
  let disk = '';
  const before = async (folder: string): Promise<void> => {
    disk = join(folder, 'agent', 'kubelet');
    mkdirSync(disk, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  };
  try {
    await using scene = await openScene({ containerd, before, edit: withoutEviction });
    await scene.ready(0, 30_000);
    const until = (fits: () => boolean | Promise<boolean>, text: string, ms = 30_000): Promise<void> => eventually(fits, ms, () => `${text}; agent's log ends:\n${scene.agent.log.slice(-2500)}`);
    const { api } = scene.cloud;
    await api.resource<Pod>('v1', 'pods').create(podOn(NODE, 'steady', 'while true; do sleep 1; done') as never);
    await until(() => scene.pod('steady')?.status?.phase === 'Running', 'the first pod does not run');

    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize)));
    await api.resource<ConfigMap>('v1', 'configmaps').create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'large', namespace: 'default' }, data: { text: 'x'.repeat(300_000) } });
    const late = podOn(NODE, 'late', 'test $(wc -c < /etc/large/text) = 300000 && sleep 3600');
    late.spec.volumes = [{ name: 'large', configMap: { name: 'large' } }];
    late.spec.containers[0] = { ...late.spec.containers[0], name: 'main', volumeMounts: [{ name: 'large', mountPath: '/etc/large' }] };
    await api.resource<Pod>('v1', 'pods').create(late as never);
    const told = async (): Promise<boolean> => (await api.resource<{ metadata: object; message: string }>('v1', 'events').list()).items.some(({ message }) => /ENOSPC|no space left/.test(message));
    await until(told, 'no event says that the disk is full');
    expect(scene.pod('late')?.status?.phase).toBe('Pending');
    expect(scene.pod('steady')?.status?.phase).toBe('Running');

    rmSync(join(disk, 'filler'));
    await until(() => scene.pod('late')?.status?.phase === 'Running', 'the pod does not start although there is room again', 90_000);
    expect(await attempts(containerd, ['steady', 'late'])).toEqual(new Map([['steady', 1], ['late', 1]]));
    await api.resource<Pod>('v1', 'pods').delete('steady', 'default');
    await api.resource<Pod>('v1', 'pods').delete('late', 'default');
    await until(() => scene.pod('late') === undefined && scene.pod('steady') === undefined, 'the pods do not go');
    execFileSync('umount', ['-l', disk]);
    disk = '';
  } finally {
    if (disk !== '') execFileSync('umount', ['-l', disk]);
  }
});
