import { startContainerd } from '@edge/testing';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eventually, temporaryFolder } from '../support/agent.js';
import { startDev } from '../support/dev.js';

const HELLO = fileURLToPath(new URL('../../../../examples/hello', import.meta.url));

it('[dev-cri-1] edgecore dev on containerd runs the examples as containers, and refuses a runtime that serves others', { timeout: 400_000 }, async () => {
  // The examples name a public image; the kit's busybox stands in for it, so that nothing is pulled.
  await using containerd = await startContainerd({ images: [{ name: 'docker.io/library/busybox:1.36' }] });
  await using folder = await temporaryFolder();
  await using other = await temporaryFolder();
  const flags = ['--runtime', 'cri', '--container-runtime-endpoint', `unix://${containerd.socket}`];
  await using dev = await startDev(folder.path, flags);
  await dev.said(/Node edge-e2e is Ready/, 120_000);
  await dev.kubectl('apply', '-f', HELLO);
  await dev.kubectl('wait', '--for=condition=Ready', 'pod/hello', '--timeout=120s');
  await dev.kubectl('wait', '--for=condition=Available', 'deployment/ticker', '--timeout=120s');
  const shown = await dev.kubectl('get', 'node', 'edge-e2e', '-o', 'jsonpath={.status.nodeInfo.containerRuntimeVersion}');
  expect(shown).toMatch(/^containerd:\/\/1\.|^containerd:\/\/2\./);
  const id = (await dev.kubectl('get', 'pod', 'hello', '-o', 'jsonpath={.status.containerStatuses[0].containerID}')).replace('containerd://', '');
  expect(await containerd.ctr('tasks', 'ls')).toMatch(new RegExp(`${id}\\s+\\d+\\s+RUNNING`));

  await using second = await startDev(other.path, flags);
  await second.said(/has \d+ pods of somebody else \(default\/.*--container-runtime-endpoint/, 120_000);
  expect(await second.ended()).toBe(1);

  await dev.kubectl('delete', '-f', HELLO, '--timeout=120s');
  await eventually(async () => !(await containerd.ctr('tasks', 'ls')).includes('RUNNING'), 90_000, () => 'containers run although their pods were deleted');
});
