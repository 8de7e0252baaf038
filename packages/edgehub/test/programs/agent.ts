import 'reflect-metadata';
import { readFileSync, writeSync } from 'node:fs';
import { CONTRACT_VERSIONS, Core, NodeIdentity, silentLogger, Store, type ModuleDefinition } from '@edge/core';
import { createMessage } from '@edge/protocol';
import { openStore } from '@edge/store';
import { edgehub } from '../../src/edgehub.module.js';
import { TokenStore } from '../../src/tokens.js';

/**
 * An agent with nothing but edgehub, to be killed. It produces numbered events and states and prints `durable N` once
 * everything up to number N is on the disk. Argument: a JSON file with `config`, `database`, `from`, `to`, `keys`.
 */
interface Orders {
  readonly config: Record<string, unknown>;
  readonly database: string;
  readonly from: number;
  readonly to: number;
  readonly keys: number;
}

const orders = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Orders;
const store = await openStore({ path: orders.database, log: silentLogger });
const core = new Core({
  config: orders.config,
  log: silentLogger,
  gates: { enabled: () => false, explicit: () => undefined },
  deadLetters: { add: (_module, _message, error) => void process.stderr.write(`${String(error)}\n`) },
  contract: CONTRACT_VERSIONS,
  platform: (bind) => {
    bind(NodeIdentity).toConstantValue({ name: 'edge-1', version: 'v0', addresses: () => Promise.resolve([]) });
    bind(Store).toConstantValue(store);
    bind(TokenStore).toConstantValue({ forgetToken: () => Promise.resolve() });
  },
});
void core.register(edgehub as unknown as ModuleDefinition).run(new AbortController().signal);
await core.health.until((health) => health['edgehub']?.phase === 'ready', AbortSignal.timeout(10_000));

for (let number = orders.from; number <= orders.to; number += 1) {
  const key = number % orders.keys;
  await core.bus.send({ group: 'hub' }, createMessage({ source: 'edged', group: 'meta', operation: 'insert', resource: `default/event/e${key}`, content: number }));
  await core.bus.send({ group: 'hub' }, createMessage({ source: 'edged', group: 'meta', operation: 'patch', resource: `default/podpatch/p${key}`, content: String(number) }));
  if (number % 20 !== 0 && number !== orders.to) continue;
  await new Promise(setImmediate);
  await store.flush();
  writeSync(1, `durable ${number}\n`);
  await new Promise((resolve) => setTimeout(resolve, 2));
}
