import 'reflect-metadata';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CONTRACT_VERSIONS, Core, NodeIdentity, silentLogger, Store, type ModuleDefinition } from '@edge/core';
import { devicetwin } from '@edge/devicetwin';
import { eventbus } from '@edge/eventbus';
import { metamanager } from '@edge/metamanager';
import { createMessage, Groups, Operations, Sources } from '@edge/protocol';
import { openStore } from '@edge/store';
import { answeringHub, heardByCloud } from './answering-hub.js';
import { answerQuestions } from './ask.js';

type Question =
  /** An agent with its broker on the returned port and the socket for mappers in `folder`. */
  | { readonly do: 'start'; readonly folder: string }
  /** Puts devices `default/d0` … on the node. */
  | { readonly do: 'add-devices'; readonly count: number }
  | { readonly do: 'heard-by-cloud' }
  /** Processor time so far, in microseconds. */
  | { readonly do: 'processor-time' };

let core: Core;

answerQuestions<Question>(async (question) => {
  switch (question.do) {
    case 'start':
      return start(question.folder);
    case 'add-devices':
      return addDevices(question.count);
    case 'heard-by-cloud':
      return heardByCloud();
    case 'processor-time': {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
  }
});

async function start(folder: string): Promise<number> {
  const port = await freePort();
  const store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
  core = new Core({
    config: {
      modules: { eventBus: { mqttMode: 0, mqttServerInternal: `tcp://127.0.0.1:${port}` }, deviceTwin: { dmiSockPath: `${folder}/` } },
      // No limit but what the agent can do.
      edge: { deviceTwin: { dmi: { callsPerSecond: 1e6, burst: 1e6 } } },
    },
    log: silentLogger,
    gates: { enabled: () => false, explicit: () => undefined },
    deadLetters: { add: (_module, message, error) => console.error(message.route, error) },
    contract: CONTRACT_VERSIONS,
    platform: (bind) => {
      bind(Store).toConstantValue(store);
      bind(NodeIdentity).toConstantValue({ name: 'edge-1', version: 'v0', addresses: () => Promise.resolve([]) });
    },
  });
  for (const module of [answeringHub, metamanager, eventbus, devicetwin]) core.register(module as unknown as ModuleDefinition);
  core.run(new AbortController().signal).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
  while (core.health.value['devicetwin']?.phase !== 'ready') await new Promise((resolve) => setTimeout(resolve, 5));
  return port;
}

async function addDevices(count: number): Promise<void> {
  const added = Array.from({ length: count }, (_, index) => ({ id: `default/d${index}`, name: `d${index}` }));
  const content = { event_id: 'bench', timestamp: Date.now(), added_devices: added, removed_devices: null };
  await core.bus.send({ module: 'twin' }, createMessage({ source: Sources.deviceController, group: Groups.twin, operation: Operations.update, resource: 'membership', content }));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
