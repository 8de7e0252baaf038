import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestCa } from '@edge/testing';
import { createResponse, decodeMessage, encodeMessage, type Message } from '@edge/protocol';
import { WebSocketServer } from 'ws';

/** CloudHub's side of the link, reduced to writing down and answering. */
export interface ScriptedHub extends AsyncDisposable {
  readonly port: number;
  /** Sends a frame as it is to whoever is connected; resolves when it was written. */
  send(frame: string): Promise<void>;
}

/** Starts one on a free port; `hear` gets every message and may return its answer's content. */
export async function scriptedHub(ca: TestCa, hear: (message: Message) => unknown): Promise<ScriptedHub> {
  const { certificate, privateKey } = await ca.server();
  const server: Server = createServer({ cert: certificate, key: privateKey, ca: ca.certificate, requestCert: true, rejectUnauthorized: true });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  // A client that leaves in the middle of the handshake is no failure of this server.
  server.on('tlsClientError', () => undefined);
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => {
      const message = decodeMessage(String(data));
      const content = hear(message);
      if (content !== undefined) socket.send(encodeMessage(createResponse(message, content, { source: 'edgecontroller', group: 'resource' })));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    send: async (frame) => {
      for (const client of sockets.clients) await new Promise<void>((resolve) => client.send(frame, () => resolve()));
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
