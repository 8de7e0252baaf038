import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createTestCa, printLine, stayIfAsked } from '@edge/testing';
import { dialTunnel, Tunnel, TunnelListener } from '../src/index.js';

// Both ends of a tunnel on the loopback: the node dials, the cloud opens two sessions at the same time.
const ca = await createTestCa();
const [server, node] = [await ca.server(), await ca.node('edge-1')];
const silence = { first: 60_000, later: 60_000 };
const onGarbage = (what: string): void => printLine(`garbage: ${what}`);

let take: (tunnel: Tunnel) => void = () => undefined;
const arrived = new Promise<Tunnel>((resolve) => (take = resolve));
const listener = new TunnelListener({
  tls: { cert: server.certificate, key: server.privateKey, ca: ca.certificate },
  refuse: () => undefined,
  onRefused: (why) => printLine(`cloud: refused: ${JSON.stringify(why)}`),
  onWire: ({ nodeName }, wire) => {
    printLine(`cloud: ${nodeName} is there`);
    take(new Tunnel({ wire, onGarbage, silence }));
  },
});
listener.server.listen(0, '127.0.0.1');
await once(listener.server, 'listening');

const { port } = listener.server.address() as AddressInfo;
const dialled = await dialTunnel({
  host: '127.0.0.1', port, ca: ca.certificate, certificate: node.certificate, privateKey: node.privateKey, nodeName: 'edge-1', internalIp: '192.0.2.10', limitMs: 30_000, signal: new AbortController().signal,
});
const edge = new Tunnel({
  wire: dialled.wire, onGarbage, silence,
  onSession: (session, kind, { path }) => {
    printLine(`node: session ${kind} for ${path}`);
    if (kind === 'logs') session.end('a line of the log');
    else session.on('data', (bytes: Buffer) => session.end(`you said ${String(bytes)}`));
  },
});
const cloud = await arrived;

const logs = cloud.open('logs', { id: 1, path: '/containerLogs/default/web/app', query: '', headers: {} });
const exec = cloud.open('exec', { id: 2, method: 'POST', path: '/exec/default/web/app', query: 'command=cat', headers: {} });
exec.write('hello');
for (const [name, session] of [['logs', logs], ['exec', exec]] as const) {
  for await (const bytes of session) printLine(`cloud: from ${name}: ${String(bytes)}`);
}

await stayIfAsked();
edge.close('the example is over');
printLine(`cloud: ${await cloud.ended}`);
await listener.close();
