import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createCell, type Credentials, type LogFields } from '@edge/core';
import { collectingLogger, createTestBus, createTestCa, testIdentity, type LogLine, type TestCa } from '@edge/testing';
import { Tunnel, TunnelListener, type SessionKind, type TunnelCaller, type TunnelSession, type Wire } from '@edge/tunnel';
import { parseEdgeStreamConfig } from '../src/config.js';
import { EdgeStream } from '../src/edgestream.js';
import type { SelfTestTimes } from '../src/self-test.js';

export const NODE = 'edge-go';
const SILENCE = { first: 600_000, later: 600_000 };

export interface CloudEnd {
  readonly caller: TunnelCaller;
  readonly certificate: string;
  readonly tunnel: Tunnel;
  /** For frames that no tunnel would send. */
  readonly wire: Wire;
}

/** A node's edgestream between a cloud and a kubelet API that a test plays. */
export interface Scene extends AsyncDisposable {
  readonly ca: TestCa;
  readonly tunnels: CloudEnd[];
  readonly lines: readonly LogLine[];
  readonly kubelet: Server;
  /** What edged was told to write at the Node, newest last. */
  readonly remarks: readonly string[];
  /** The figures of the tunnel, as the kubelet API asks for them: name, labels and value in one line each. */
  figures(): readonly string[];
  /** Connections to the kubelet API that are open. */
  readonly kubeletSockets: ReadonlySet<Socket>;
  /** The tunnel that is open now; waits for it. */
  tunnel(): Promise<CloudEnd>;
  /** Begins a session through it. */
  open(kind: SessionKind, path: string, more?: { method?: string; query?: string; headers?: Record<string, string[]> }): Promise<TunnelSession>;
  renew(): Promise<void>;
  /** Closes the cloud's port, and opens it again. */
  cloudAway(): Promise<void>;
  cloudBack(): Promise<void>;
}

export interface SceneOptions {
  readonly serve?: RequestListener;
  readonly token?: string;
  /** Status of the kubelet API by its own account; 200 unless given. */
  readonly health?: () => number;
  /** The port that metamanager's copy of the Node names; there is no copy unless given. */
  readonly namedPort?: (ownPort: number) => number;
  readonly testTimes?: SelfTestTimes;
  /** What edged answers in place of where its API is. */
  readonly endpoint?: unknown;
}

export async function scene(options: SceneOptions = {}): Promise<Scene> {
  const ca = await createTestCa();
  const sockets = new Set<Socket>();
  const serve = options.serve ?? ((_request, response) => void response.end('hello\n'));
  const kubelet = createServer((request, response) => {
    if (request.url !== '/healthz') return serve(request, response);
    // The module's own look, which is no session.
    sockets.delete(request.socket);
    response.writeHead(options.health?.() ?? 200).end('ok');
  });
  kubelet.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  kubelet.listen(0, '127.0.0.1');
  await once(kubelet, 'listening');
  const kubeletPort = (kubelet.address() as AddressInfo).port;

  const tunnels: CloudEnd[] = [];
  const { certificate: cert, privateKey: key } = await ca.server();
  let port = 0;
  const startCloud = async (): Promise<TunnelListener> => {
    const listener = new TunnelListener({
      tls: { cert, key, ca: ca.certificate }, refuse: () => undefined, onRefused: () => undefined,
      onWire: (caller, wire) => void tunnels.push({ caller, wire, certificate: credentials.value?.certificate ?? '', tunnel: new Tunnel({ wire, onGarbage: () => undefined, silence: SILENCE }) }),
    });
    listener.server.listen(port, '127.0.0.1');
    await once(listener.server, 'listening');
    port = (listener.server.address() as AddressInfo).port;
    return listener;
  };
  const issue = async (): Promise<Credentials> => ({ ca: ca.certificate, ...(await ca.node(NODE)), notAfter: Date.now() + 3_600_000 });
  const credentials = createCell<Credentials | undefined>(undefined);
  let cloud = await startCloud();

  const bus = createTestBus();
  const remarks: string[] = [];
  bus.play('metamanager', 'meta', () => (options.namedPort === undefined ? [] : [JSON.stringify({ status: { daemonEndpoints: { kubeletEndpoint: { Port: options.namedPort(kubeletPort) } } } })]));
  bus.play('edged', 'edged', ({ route: { resource }, content }) => {
    if (resource !== 'node/annotations') return endpoint();
    remarks.push((content as Record<string, string>)['edge.kubeedge.io/stream'] ?? '');
    return undefined;
  });
  const endpoint = (): unknown => options.endpoint ?? { host: '127.0.0.1', port: kubeletPort, ...(options.token === undefined ? {} : { token: options.token }) };
  const log = collectingLogger();
  const stop = new AbortController();
  const module = new EdgeStream({
    config: parseEdgeStreamConfig({ enable: true, server: `127.0.0.1:${port}` }), identity: testIdentity(NODE, ['192.0.2.2']), credentials, bus: bus.bus, log,
    ...(options.testTimes === undefined ? {} : { testTimes: options.testTimes }),
  });
  const life = module.run({ signal: stop.signal, ready: () => undefined });
  credentials.set(await issue());

  let sessions = 0;
  const present = async (): Promise<CloudEnd> => {
    for (let round = 0; round < 1000; round += 1) {
      const last = tunnels.at(-1);
      if (last && !last.tunnel.over) return last;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no tunnel: ${JSON.stringify(log.lines.map(({ message, fields }: { message: string; fields: LogFields }) => [message, fields]))}`);
  };
  return {
    ca, tunnels, remarks,
    figures: () => module.figures().flatMap(({ name, samples }) => samples.map(({ labels, value }) => `${name}${labels ? JSON.stringify(labels) : ''} ${value}`)),
    kubelet, kubeletSockets: sockets, lines: log.lines, tunnel: present,
    open: async (kind, path, { method, query = '', headers = {} } = {}) => {
      sessions += 1;
      const id = sessions;
      return (await present()).tunnel.open(kind, { id, path, query, headers, ...(method === undefined ? {} : { method }) });
    },
    renew: async () => credentials.set(await issue()),
    cloudAway: () => cloud.close(),
    cloudBack: async () => {
      cloud = await startCloud();
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await life;
      await cloud.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => kubelet.close(resolve));
    },
  };
}

/** All bytes of a session to its end, as text. */
export async function textOf(session: TunnelSession): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of session) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('latin1');
}
