import { mkdir, mkdtemp, link, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { expect, it } from 'vitest';
import type { PodRecord } from '../pods/pods-view.js';
import { directoryUse } from './directory-use.js';
import { SizeLimits } from './size-limits.js';

const signal = new AbortController().signal;

it('[edged-28.20] ends a pod that puts more into an emptyDir than its limit, and no other', async () => {
  const root = await mkdtemp(join(tmpdir(), 'edged-sizes-'));
  const record = (uid: string, sizeLimit: string | undefined, more: Partial<PodRecord> & { priority?: number } = {}): PodRecord => {
    const pod: Pod = {
      metadata: { name: uid, namespace: 'ns', uid },
      spec: { containers: [], volumes: [{ name: 'v', emptyDir: sizeLimit === undefined ? {} : { sizeLimit } }], ...(more.priority ? { priority: more.priority } : {}) },
    };
    return { pod, status: { phase: 'Running' }, terminating: false, removed: false, ...more };
  };
  const records = [
    record('over', '64Ki'),
    record('under', '1Mi'),
    record('free', undefined),
    record('zero', '0'),
    record('ending', '64Ki', { terminating: true }),
    record('done', '64Ki', { status: { phase: 'Succeeded' } }),
    record('system', '64Ki', { priority: 2_000_001_000 }),
    record('bad', 'many'),
    record('absent', '1'),
  ];
  for (const { pod } of records.slice(0, -1)) {
    const volume = join(root, `pods/${pod.metadata.uid}/volumes/kubernetes.io~empty-dir/v/deep`);
    await mkdir(volume, { recursive: true });
    await writeFile(join(volume, 'file'), Buffer.alloc(100_000));
    // A second name of the same file takes nothing.
    for (let name = 0; name < 20; name += 1) await link(join(volume, 'file'), join(volume, `${name}`));
  }
  const failed: unknown[] = [];
  const control = { fail: (uid: string, verdict: object) => failed.push([uid, verdict]), wake: () => undefined };
  await new SizeLimits({ root, pods: { list: () => records } as never, control, log: silentLogger }).look(signal);
  expect(failed).toEqual([['over', { reason: 'Evicted', message: 'Usage of EmptyDir volume "v" exceeds the limit "64Ki". ', graceSeconds: 1 }]]);
  const use = await directoryUse(join(root, 'pods/under'), signal);
  expect([use.inodes, use.bytes >= 100_000 && use.bytes < 200_000]).toEqual([6, true]);
  expect(await directoryUse(join(root, 'nothing'), signal)).toEqual({ bytes: 0, inodes: 0 });
  await rm(root, { recursive: true });
});
