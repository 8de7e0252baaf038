import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCa, freePort, playRecordedCloud } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { enrol, startAgent } from './agent.js';
import { CloudRest } from './cloud-rest.js';
import { cloudMessages, edgeMessages, frame, readRecording } from './recordings.js';
import { recordedRuntime } from './runtime.js';

interface Application {
  readonly ID: string;
  readonly Key: string;
}

it('[recorded-6.1] what clients ask of the local API reaches the cloud in the Go agent\'s words, and the recorded answers reach the clients: no difference is needed', { timeout: 120_000 }, async () => {
  const recording = readRecording('07-metaserver');
  const asked = edgeMessages(recording);
  const answers = new Map(cloudMessages(recording).map(({ content }) => [(content as Application).ID, content]));
  const folder = await mkdtemp(join(tmpdir(), 'edge-node-api-'));
  const ca = await createTestCa();
  await enrol(ca, folder, 'edge-go');
  const runtime = recordedRuntime([recording]);
  const rest = new CloudRest('');
  await using cloud = await playRecordedCloud({ ca, captures: [recording], patienceMs: 60_000, adapt: rest.adapt, otherwise: rest.otherwise });
  const nodeApiPort = await freePort();
  try {
    await using agent = await startAgent({ folder, node: 'edge-go', cloud: cloud.address, runtime, nodeApiPort });
    await eventually(() => cloud.heard.some(({ message }) => message.route.resource === 'null/node/edge-go') && agent.core.health.value['metaserver']?.phase === 'ready', 40_000, () => JSON.stringify(agent.core.health.value));
    const get = async (path: string): Promise<{ kind?: string; items?: { metadata: { name: string } }[]; goVersion?: string }> => {
      const response = await fetch(`http://127.0.0.1:${nodeApiPort}${path}`);
      expect({ path, status: response.status, warning: response.headers.get('warning') }).toEqual({ path, status: 200, warning: null });
      return (await response.json()) as object;
    };
    const names = ({ items = [] }: { items?: { metadata: { name: string } }[] }): string[] => items.map(({ metadata }) => metadata.name);
    expect(names(await get('/api/v1/nodes'))).toEqual(['edge-go']);
    expect(names(await get('/api/v1/namespaces/default/configmaps'))).toEqual(['cm1', 'kube-root-ca.crt']);
    expect((await get('/version')).goVersion).toBe('go1.19.8');

    const applications = cloud.heard.filter(({ message }) => message.route.source === 'metaserver');
    // The whole frame but for its id and its time, byte for byte.
    expect(applications.map(({ text }) => frame(text))).toEqual(asked.map(({ text }) => frame(text)));
    for (const { message } of applications) expect(answers.has((message.content as Application).ID)).toBe(true);
    expect(cloud.missed).toEqual([]);
  } finally {
    runtime.close();
    await rm(folder, { recursive: true, force: true });
  }
});
