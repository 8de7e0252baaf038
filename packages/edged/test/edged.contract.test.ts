import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryRuntime, describeModule, ownLoopback } from '@edge/testing';
import { createEdged } from '../src/index.js';
import { PlayedCloud } from './scene.js';

const runtime = createMemoryRuntime({});

describeModule(createEdged(async () => runtime), async () => {
  const root = await mkdtemp(join(tmpdir(), 'edged-contract-'));
  const cloud = new PlayedCloud();
  cloud.put({ metadata: { name: 'p', namespace: 'default', uid: `uid-${root}` }, spec: { nodeName: 'edge-1', containers: [{ name: 'c', image: 'i' }] } });
  return {
    config: { modules: { edged: { rootDirectory: root, tailoredKubeletConfig: { podLogsDir: join(root, 'logs'), staticPodPath: join(root, 'manifests'), address: ownLoopback() } } } },
    neighbours: (bus) => cloud.join(bus),
    dispose: () => rm(root, { recursive: true, force: true }),
  };
});
