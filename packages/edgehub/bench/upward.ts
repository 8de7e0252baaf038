import { fork, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTRACT_VERSIONS, Core, NodeIdentity, silentLogger, Store, type ModuleDefinition } from '@edge/core';
import { createMessage } from '@edge/protocol';
import { createTestCa } from '@edge/testing';
import { edgehub } from '../src/edgehub.module.js';
import { TokenStore } from '../src/tokens.js';

/** Figures of one run. */
export interface UpwardFigures {
  readonly messages: number;
  /** Messages a second, from the first one sent on the bus to the last one at the cloud, each on the disk before. */
  readonly messagesPerSecond: number;
  /** Messages a second into the outbox while the link is down. */
  readonly storedPerSecond: number;
  /** Messages a second from a full outbox after the link came. */
  readonly drainedPerSecond: number;
  readonly residentMb: { readonly before: number; readonly full: number };
}

export interface UpwardOptions {
  readonly messages: number;
  readonly keys: number;
  /** Opens the database in the given folder. */
  readonly openStore: (path: string) => Promise<Store & AsyncDisposable>;
  /** Path of the compiled `counting-cloud` program. */
  readonly cloudProgram: string;
}

/** Measures durable messages from a module to the cloud, which runs in a process of its own. */
export async function benchUpward(options: UpwardOptions): Promise<UpwardFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'edgehub-bench-'));
  const ca = await createTestCa();
  const server = await ca.server();
  const cloud = fork(options.cloudProgram, { stdio: 'inherit', serialization: 'advanced' });
  const stop = new AbortController();
  try {
    const paths = { tlsCaFile: join(folder, 'ca.crt'), tlsCertFile: join(folder, 'node.crt'), tlsPrivateKeyFile: join(folder, 'node.key') };
    const pair = await ca.node('edge-1');
    await mkdir(folder, { recursive: true });
    await Promise.all([writeFile(paths.tlsCaFile, ca.certificate), writeFile(paths.tlsCertFile, pair.certificate), writeFile(paths.tlsPrivateKeyFile, pair.privateKey)]);
    const port = Number(await ask(cloud, { do: 'listen', ca: ca.certificate, ...server }));
    await using store = await options.openStore(join(folder, 'edge.db'));
    const core = new Core({
      config: { modules: { edgeHub: { ...paths, messageQPS: 0, websocket: { enable: true, server: `127.0.0.1:${port}` } } }, edge: { outbox: { maxBytes: 2 ** 30 } } },
      log: silentLogger,
      gates: { enabled: () => false, explicit: () => undefined },
      deadLetters: { add: (_module, _message, error) => console.error(error) },
      contract: CONTRACT_VERSIONS,
      platform: (bind) => {
        bind(NodeIdentity).toConstantValue({ name: 'edge-1', version: 'v0', addresses: () => Promise.resolve([]) });
        bind(Store).toConstantValue(store);
        bind(TokenStore).toConstantValue({ forgetToken: () => Promise.resolve() });
      },
    });
    const life = core.register(edgehub as unknown as ModuleDefinition).run(stop.signal);
    let number = 0;
    const produce = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1) {
        number += 1;
        await core.bus.send({ group: 'hub' }, createMessage({ source: 'edged', group: 'meta', operation: 'insert', resource: `default/event/e${number % options.keys}`, content: { n: number, text: 'x'.repeat(200) } }));
      }
    };
    await ask(cloud, { do: 'await', total: 0, sessions: 1 });
    await produce(1000);
    await ask(cloud, { do: 'await', total: 1000, sessions: 1 });

    const startedAt = performance.now();
    await produce(options.messages);
    await ask(cloud, { do: 'await', total: 1000 + options.messages, sessions: 1 });
    const straight = performance.now() - startedAt;

    const before = process.memoryUsage().rss;
    await ask(cloud, { do: 'close' });
    const storing = performance.now();
    await produce(options.messages);
    await new Promise(setImmediate);
    await store.flush();
    const stored = performance.now() - storing;
    const full = process.memoryUsage().rss;
    await ask(cloud, { do: 'listen', ca: ca.certificate, ...server, port });
    await ask(cloud, { do: 'await', total: 1001 + options.messages, sessions: 2 });
    const draining = performance.now();
    await ask(cloud, { do: 'await', total: 1000 + 2 * options.messages, sessions: 2 });
    const drained = performance.now() - draining;
    stop.abort();
    await life;
    const perSecond = (milliseconds: number): number => Math.round((options.messages / milliseconds) * 1000);
    return {
      messages: options.messages,
      messagesPerSecond: perSecond(straight),
      storedPerSecond: perSecond(stored),
      drainedPerSecond: perSecond(drained),
      residentMb: { before: Math.round(before / 2 ** 20), full: Math.round(full / 2 ** 20) },
    };
  } finally {
    stop.abort();
    cloud.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

function ask(child: ChildProcess, question: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the cloud program ended')));
    child.once('message', resolve);
    child.send(question);
  });
}

