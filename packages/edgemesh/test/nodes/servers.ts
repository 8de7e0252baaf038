import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer } from 'node:net';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { WebSocketServer } from 'ws';

/** What a pod serves on which port. Each answers with its name and who asked. */
export const PORTS = { tcp: 7000, udp: 7001, http: 7002, http2: 7003, grpc: 7004 } as const;

const asIs = (data: Buffer): Buffer => data;
export const METHOD = { path: '/mesh.Names/Say', requestStream: false, responseStream: false, requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };

/** @param ports that it serves; all unless given */
export async function serveAll(name: string, addresses: readonly string[], ports: readonly number[] = Object.values(PORTS)): Promise<void> {
  for (const host of addresses) {
    if (ports.includes(PORTS.tcp)) await once(createServer((socket) => void socket.on('error', () => undefined).on('data', (data) => socket.write(`${name} ${socket.remoteAddress} ${data.toString()}`)).on('end', () => socket.end())).listen(PORTS.tcp, host, 4096), 'listening');
    if (ports.includes(PORTS.udp)) {
      const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      udp.on('message', (data, from) => udp.send(`${name} ${from.address} ${data.toString()}`, from.port, from.address));
      udp.bind(PORTS.udp, host);
      await once(udp, 'listening');
    }
    if (ports.includes(PORTS.http)) {
      const http = createHttp((incoming, outgoing) => outgoing.end(`${name} ${incoming.url}`));
      new WebSocketServer({ server: http }).on('connection', (socket, incoming) => void socket.on('message', (data) => socket.send(`${name} ${incoming.url} ${(data as Buffer).toString()}`)));
      await once(http.listen(PORTS.http, host), 'listening');
    }
    if (ports.includes(PORTS.http2)) await once(createHttp2((incoming, outgoing) => outgoing.end(`${name} ${incoming.httpVersion} ${incoming.url}`)).listen(PORTS.http2, host), 'listening');
    if (ports.includes(PORTS.grpc)) {
      const grpc = new GrpcServer();
      grpc.addService({ say: METHOD } as never, { say: (call: { request: Buffer }, done: (error: null, answer: Buffer) => void) => done(null, Buffer.from(`${name} ${call.request.toString()}`)) } as never);
      await new Promise<void>((resolve, reject) => grpc.bindAsync(host.includes(':') ? `[${host}]:${PORTS.grpc}` : `${host}:${PORTS.grpc}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())));
    }
  }
}
