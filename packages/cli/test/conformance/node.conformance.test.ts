import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from '../support/agent.js';
import { nodeReady, openCluster, remains, type Cluster } from './cluster.js';
import { configVolumeSpecs } from './config-volumes.js';
import { directorySpecs } from './directories.js';
import { environmentSpecs } from './environment.js';
import { hookSpecs } from './hooks.js';
import { conformanceImages } from './images.js';
import { initSpecs } from './init.js';
import { networkSpecs } from './network.js';
import { nodeSpecs } from './node.js';
import { podSpecs } from './pods.js';
import { probeSpecs } from './probes.js';
import { runtimeSpecs } from './runtime.js';
import { securitySpecs } from './security.js';

let cluster: Cluster;
let pid: number;

beforeAll(async () => {
  cluster = await openCluster(conformanceImages, (text) => {
    const config = parse(text) as { modules: { edged: { tailoredKubeletConfig: Record<string, unknown> } } };
    Object.assign(config.modules.edged.tailoredKubeletConfig, { clusterDNS: ['169.254.96.16'], clusterDomain: 'cluster.local' });
    return stringify(config);
  });
  mkdirSync(cluster.shared);
  await nodeReady(cluster);
  pid = cluster.scene.agent.pid;
}, 180_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 60_000);

/** As many at a time as `maxConcurrency` in the package's vitest.config.ts says. */
describe.concurrent('node conformance', { timeout: 300_000 }, () => {
  for (const specs of [runtimeSpecs, probeSpecs, hookSpecs, configVolumeSpecs, podSpecs, environmentSpecs, directorySpecs, securitySpecs, initSpecs, networkSpecs, nodeSpecs]) specs(() => cluster);
});

describe('after all', () => {
  it('[conf-12.1] nothing of the pods is left, and the agent was never restarted', { timeout: 200_000 }, async () => {
    let left: string[] = [];
    await eventually(async () => (left = await remains(cluster)).length === 0, 180_000, () => `left after all: ${left.join(', ')}; the agent said: ${cluster.scene.agent.log.slice(-60000)}`);
    expect(cluster.scene.agent.pid).toBe(pid);
    expect(cluster.scene.agent.log).not.toMatch(/module crashed/);
  });
});
