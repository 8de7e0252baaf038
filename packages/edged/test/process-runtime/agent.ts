import { appendFileSync } from 'node:fs';
import { silentLogger, sleep } from '@edge/core';
import { createProcessRuntime } from '../../src/process-runtime/index.js';
import { containerConfig, podConfig } from './configs.js';

/**
 * An agent for the kill test: opens the runtime, says `open`, and then starts pods one after the other until it is
 * killed. Each pod's process notes its start in the witness file. Arguments: root, log root, witness file, round.
 */
const [root = '', logRoot = '', witness = '', round = ''] = process.argv.slice(2);
const never = new AbortController().signal;

const runtime = await createProcessRuntime({ root, hostIP: '192.0.2.7', log: silentLogger, rawLimit: 20_000, pollMs: 500 });
process.stdout.write('open\n');

// What an earlier agent created and did not get to start is started now, as the real agent does.
for (const container of await runtime.listContainers({ state: 'created' })) await runtime.startContainer(container.id);

for (let n = 0; n < 3; n += 1) {
  const pod = podConfig(`${round}-${n}`, logRoot);
  const sandbox = await runtime.runPodSandbox(pod);
  const ending = await runtime.createContainer(sandbox, containerConfig('ending', ['/bin/sh', '-c', 'echo "$NAME" >>"$WITNESS"; sleep 0.4; exit 33'], { WITNESS: witness, NAME: `${round}-${n}` }), pod);
  await runtime.startContainer(ending);
  appendFileSync(`${witness}.started`, `${ending}\n`);
  await sleep(20, never);
}
await sleep(60_000, never);
