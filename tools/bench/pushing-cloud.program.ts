import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createMessage, createResponse, decodeMessage, encodeMessage, Groups, Sources } from '@edge/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import { answerQuestions } from './ask.js';

type Question =
  | { readonly do: 'listen'; readonly ca: string; readonly certificate: string; readonly privateKey: string }
  | { readonly do: 'connected' }
  | { readonly do: 'push'; readonly count: number; readonly inFlight: number };

const OBJECTS = 200;
const waiting = new Map<string, () => void>();
let connected: (socket: WebSocket) => void;
const link = new Promise<WebSocket>((resolve) => (connected = resolve));
let version = 0;

/** CloudHub's side of pushes: the next one leaves when one before it was acknowledged. */
answerQuestions<Question>(async (question) => {
  switch (question.do) {
    case 'listen':
      return listen(question);
    case 'connected':
      await link;
      return 'connected';
    case 'push': {
      const start = performance.now();
      let left = question.count;
      const lane = async (): Promise<void> => {
        while (left-- > 0) await push(await link);
      };
      await Promise.all(Array.from({ length: question.inFlight }, lane));
      return performance.now() - start;
    }
  }
});

async function listen({ ca, certificate, privateKey }: { ca: string; certificate: string; privateKey: string }): Promise<number> {
  const server = createServer({ cert: certificate, key: privateKey, ca, requestCert: true, rejectUnauthorized: true });
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const message = decodeMessage(data.toString('utf8'));
      const acknowledged = waiting.get(message.header.parentId ?? '');
      if (acknowledged) {
        waiting.delete(message.header.parentId ?? '');
        acknowledged();
      } else if (message.header.sync) socket.send(encodeMessage(createResponse(message, 'OK', { source: Sources.edgeController, group: Groups.resource })));
    });
    connected(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function push(socket: WebSocket): Promise<void> {
  version += 1;
  const name = `settings-${version % OBJECTS}`;
  const metadata = { name, namespace: 'default', uid: `5a9c0000-0000-4000-8000-${String(version % OBJECTS).padStart(12, '0')}`, resourceVersion: String(version) };
  const message = createMessage({
    source: Sources.edgeController, group: Groups.resource, operation: 'update', resource: `default/configmap/${name}`, resourceVersion: metadata.resourceVersion,
    content: { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: { settings: 'x'.repeat(500) } },
  });
  return new Promise((resolve) => {
    waiting.set(message.header.id, resolve);
    socket.send(encodeMessage(message));
  });
}
