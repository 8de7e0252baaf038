import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** A cloud that parses and counts, in a process of its own: `{do}` in, one answer out. */
interface Question {
  readonly do: 'listen' | 'await' | 'close';
  readonly ca: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly port?: number;
  readonly total: number;
  readonly sessions: number;
}

const seen = new Set<string>();
let sessions = 0;
let server: Server | undefined;
let sockets: WebSocketServer | undefined;
let onChange: () => void = () => undefined;

process.on('message', (question: Question) => {
  void answer(question).then((value) => process.send?.(value));
});

async function answer(question: Question): Promise<unknown> {
  if (question.do === 'close') {
    for (const client of sockets?.clients ?? []) client.terminate();
    await new Promise((resolve) => server?.close(resolve));
    return 'closed';
  }
  if (question.do === 'await') {
    await new Promise<void>((resolve) => {
      onChange = () => seen.size >= question.total && sessions >= question.sessions && resolve();
      onChange();
    });
    return seen.size;
  }
  server = createServer({ cert: question.certificate, key: question.privateKey, ca: question.ca, requestCert: true, rejectUnauthorized: true });
  sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    sessions += 1;
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as { header: { msg_id: string }; route: { operation: string } };
      if (message.route.operation !== 'keepalive') seen.add(message.header.msg_id);
      onChange();
    });
    onChange();
  });
  await new Promise<void>((resolve) => server?.listen(question.port ?? 0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
