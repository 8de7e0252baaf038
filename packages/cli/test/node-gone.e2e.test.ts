import { expect, it } from 'vitest';
import { eventually } from './support/agent.js';
import { openKillableScene } from './support/killable-scene.js';
import { podProcesses } from './support/leftovers.js';
import { sleeper } from './support/scene.js';

it('[outage-1.6] a Node that was deleted with its pods while the agent was down: it registers anew and the pods end, although the cloud says nothing of them', { timeout: 400_000 }, async () => {
  await using scene = await openKillableScene();
  await scene.ready(0, 90_000);
  await scene.kubectl('apply', '-f', '-', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [sleeper('one'), sleeper('two')] }));
  await scene.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=120s');
  await scene.agent.kill();
  await scene.kubectl('delete', 'pods', '--all', '--force', '--grace-period=0');
  await scene.kubectl('delete', 'nodes', '--all');
  // CloudCore drops its records of what a node has together with the Node; ours keeps them, and in memory too.
  await scene.kubectl('delete', 'objectsyncs,clusterobjectsyncs', '--all', '-A');
  await scene.killCloud(0);
  expect(await scene.kubectl('get', 'objectsyncs', '-A')).toBe('');
  expect(podProcesses(scene.folder).length).toBeGreaterThan(0);
  scene.agent.start();
  await scene.ready(Date.now(), 90_000);
  await eventually(() => podProcesses(scene.folder).length === 0, 90_000, () => `${podProcesses(scene.folder).length} processes run; ${scene.agent.log.slice(-2000)}`);
});
