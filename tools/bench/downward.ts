import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTRACT_VERSIONS, Core, NodeIdentity, silentLogger, Store, type ModuleDefinition } from '@edge/core';
import { edgehub, TokenStore } from '@edge/edgehub';
import { metamanager } from '@edge/metamanager';
import { openStore } from '@edge/store';
import { createTestCa } from '@edge/testing';
import { startHelper } from './ask.js';

export interface DownwardFigures {
  /** Messages a second, each acknowledged after its commit, by the number of messages in flight. */
  readonly perSecond: ReadonlyMap<number, number>;
}

/** Pushes from a cloud in another process through edgehub and metamanager into the database and back as acknowledgements. */
export async function benchDownward(folder: string, count: number, inFlight: readonly number[]): Promise<DownwardFigures> {
  await mkdir(folder, { recursive: true });
  const ca = await createTestCa();
  const pair = await ca.node('edge-1');
  const paths = { tlsCaFile: join(folder, 'ca.crt'), tlsCertFile: join(folder, 'node.crt'), tlsPrivateKeyFile: join(folder, 'node.key') };
  await Promise.all([writeFile(paths.tlsCaFile, ca.certificate), writeFile(paths.tlsCertFile, pair.certificate), writeFile(paths.tlsPrivateKeyFile, pair.privateKey)]);
  await using cloud = startHelper('pushing-cloud');
  const port = await cloud.ask<number>({ do: 'listen', ca: ca.certificate, ...(await ca.server()) });
  await using store = await openStore({ path: join(folder, 'edgecore.db'), log: silentLogger });
  const stop = new AbortController();
  const core = new Core({
    config: { modules: { edgeHub: { ...paths, messageQPS: 0, websocket: { server: `127.0.0.1:${port}` } } } },
    log: silentLogger,
    gates: { enabled: () => false, explicit: () => undefined },
    deadLetters: { add: (_module, message, error) => console.error(message.route, error) },
    contract: CONTRACT_VERSIONS,
    platform: (bind) => {
      bind(Store).toConstantValue(store);
      bind(NodeIdentity).toConstantValue({ name: 'edge-1', version: 'v0', addresses: () => Promise.resolve([]) });
      bind(TokenStore).toConstantValue({ forgetToken: () => Promise.resolve() });
    },
  });
  const life = core.register(edgehub as unknown as ModuleDefinition).register(metamanager as unknown as ModuleDefinition).run(stop.signal);
  try {
    await cloud.ask({ do: 'connected' });
    await cloud.ask({ do: 'push', count: 500, inFlight: 10 });
    const perSecond = new Map<number, number>();
    for (const width of inFlight) {
      const milliseconds = await cloud.ask<number>({ do: 'push', count, inFlight: width });
      perSecond.set(width, (count / milliseconds) * 1000);
    }
    return { perSecond };
  } finally {
    stop.abort();
    await life;
  }
}
