import { connect, type Socket } from 'node:net';
import { eventually } from '@edge/testing';

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), Buffer.from(value)]);
const packet = (first: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([first, body.length]), body]);
const id = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

/** A client that acknowledges nothing by itself; packets of up to 127 bytes. */
export interface RawClient {
  readonly socket: Socket;
  /** Packets of the broker, hex. */
  readonly packets: string[];
  subscribe(filter: string, qos: number): void;
  publish(topic: string, payload: string, qos: number, id: number, again?: boolean): void;
  send(hex: string): void;
  until(hex: string): Promise<void>;
  /** Ends it without a word. */
  vanish(): Promise<void>;
}

export async function rawClient(port: number, clientId: string, clean: boolean, keepAlive = 0): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  const packets: string[] = [];
  let rest = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + (rest[1] ?? 0)) {
      const end = 2 + (rest[1] ?? 0);
      packets.push(rest.subarray(0, end).toString('hex'));
      rest = rest.subarray(end);
    }
  });
  const client: RawClient = {
    socket,
    packets,
    subscribe: (filter, qos) => socket.write(packet(0x82, Buffer.concat([id(9), text(filter), Buffer.from([qos])]))),
    publish: (topic, payload, qos, number, again = false) =>
      socket.write(packet(0x30 | (qos << 1) | (again ? 8 : 0), Buffer.concat([text(topic), ...(qos > 0 ? [id(number)] : []), Buffer.from(payload)]))),
    send: (hex) => socket.write(Buffer.from(hex, 'hex')),
    until: async (hex) => {
      await eventually(async () => (packets.includes(hex) ? true : undefined), () => `${hex}; there are ${packets.join(' ')}`);
    },
    vanish: () =>
      new Promise((resolve) => {
        socket.once('close', () => resolve());
        socket.destroy();
      }),
  };
  socket.write(packet(0x10, Buffer.concat([text('MQTT'), Buffer.from([4, clean ? 2 : 0, 0, keepAlive]), text(clientId)])));
  await eventually(async () => (packets.some((hex) => hex.startsWith('2002')) ? true : undefined), 'CONNACK');
  return client;
}
