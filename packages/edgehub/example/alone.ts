import 'reflect-metadata';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTRACT_VERSIONS, Core, NodeIdentity, Store, type Logger, type ModuleDefinition } from '@edge/core';
import { createMessage, createResponse, encodeMessage, decodeMessage } from '@edge/protocol';
import { createMemoryStore, createTestCa } from '@edge/testing';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { edgehub, TokenStore } from '../src/index.js';

/** Runs edgehub alone with a scripted cloud: one query is answered, one event is delivered, the link is cut once. */
export async function runAlone(print: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'edgehub-alone-'));
  const ca = await createTestCa();
  const [server, node] = [await ca.server(), await ca.node('edge-1')];
  const hub = createServer({ cert: server.certificate, key: server.privateKey, ca: ca.certificate, requestCert: true, rejectUnauthorized: true });
  const sockets = new WebSocketServer({ server: hub });
  const delivered = new Promise<void>((resolve) => {
    sockets.on('connection', (socket, request) => {
      print(`cloud: link from ${request.url ?? ''}`);
      socket.on('message', (data) => {
        const message = decodeMessage(String(data));
        print(`cloud: ${message.route.operation} ${message.route.resource}`);
        if (message.route.operation === 'query') socket.send(encodeMessage(createResponse(message, { data: { colour: 'blue' } }, { source: 'edgecontroller', group: 'resource' })));
        if (message.route.resource.includes('/event/')) resolve();
      });
    });
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));

  const paths = { tlsCaFile: join(folder, 'ca.crt'), tlsCertFile: join(folder, 'node.crt'), tlsPrivateKeyFile: join(folder, 'node.key') };
  await Promise.all([writeFile(paths.tlsCaFile, ca.certificate), writeFile(paths.tlsCertFile, node.certificate), writeFile(paths.tlsPrivateKeyFile, node.privateKey)]);
  let open = false;
  const core = new Core({
    config: { modules: { edgeHub: { ...paths, websocket: { enable: true, server: `127.0.0.1:${(hub.address() as AddressInfo).port}` } } } },
    log: printingLogger((line) => {
      open ||= line.includes('the link to the cloud is open');
      print(line);
    }),
    gates: { enabled: () => false, explicit: () => undefined },
    deadLetters: { add: (module, _message, error) => print(`set aside by ${module}: ${String(error)}`) },
    contract: CONTRACT_VERSIONS,
    platform: (bind) => {
      bind(NodeIdentity).toConstantValue({ name: 'edge-1', version: 'v0.1.0', addresses: () => Promise.resolve([]) });
      bind(Store).toConstantValue(createMemoryStore());
      bind(TokenStore).toConstantValue({ forgetToken: () => Promise.resolve() });
    },
  });
  const stop = new AbortController();
  const life = core.register(edgehub as unknown as ModuleDefinition).run(stop.signal);
  try {
    await until(() => open);
    const query = createMessage({ source: 'metamanager', group: 'meta', operation: 'query', resource: 'default/configmap/paint' });
    print(`module: the answer is ${JSON.stringify((await core.bus.request({ group: 'hub' }, query)).content)}`);
    for (const client of sockets.clients) client.terminate();
    await core.bus.send({ group: 'hub' }, createMessage({ source: 'edged', group: 'meta', operation: 'insert', resource: 'default/event/cut.1', content: {} }));
    await delivered;
    print('module: the event has arrived, the cut did not matter');
  } finally {
    stop.abort();
    await life;
    sockets.close();
    hub.closeAllConnections();
    await new Promise((resolve) => hub.close(resolve));
    await rm(folder, { recursive: true, force: true });
  }
}

async function until(fits: () => boolean): Promise<void> {
  for (let round = 0; round < 500 && !fits(); round += 1) await new Promise((resolve) => setTimeout(resolve, 10));
}

function printingLogger(print: (line: string) => void): Logger {
  const line = (level: string) => (message: string, fields?: object) => print(`${level}: ${message} ${fields ? JSON.stringify(fields) : ''}`);
  return { error: line('error'), warn: line('warn'), info: line('info'), verbose: () => undefined, named: () => printingLogger(print) };
}

if (process.argv[1]?.includes('alone')) await runAlone((line) => process.stdout.write(`${line}\n`));
