import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer as createHttp2Server } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { ReportDeviceStatesRequest } from '@edge/protocol/dmi';
import { eventually } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from '../../src/dmi/authority/hpack.js';
import { DmiScene } from './dmi-scene.js';
import { device, model } from './objects.js';

const fixture = (name: string): Buffer[][] => {
  const connections: Buffer[][] = [];
  for (const line of readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), 'utf8').trim().split('\n')) {
    const { connection, base64 } = JSON.parse(line) as { connection: number; base64: string };
    (connections[connection] ??= []).push(Buffer.from(base64, 'base64'));
  }
  return connections;
};

/** What a server sends back to recorded bytes: the status of each call, resets, and whether it hung up. */
class Replay implements Disposable {
  readonly statuses: string[] = [];
  readonly resets: number[] = [];
  closed = false;
  readonly #socket;
  readonly #decoder = new HpackDecoder();
  #pending = Buffer.alloc(0);

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('close', () => (this.closed = true));
    this.#socket.on('error', () => undefined);
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 9 && this.#pending.length >= 9 + this.#pending.readUIntBE(0, 3)) {
      const length = this.#pending.readUIntBE(0, 3);
      const payload = this.#pending.subarray(9, 9 + length);
      if (this.#pending[3] === 1) {
        const status = this.#decoder.decode(payload).find(({ name }) => name === 'grpc-status');
        if (status) this.statuses.push(status.value);
      } else if (this.#pending[3] === 3) {
        this.resets.push(payload.readUInt32BE(0));
      }
      this.#pending = this.#pending.subarray(9 + length);
    }
  }
}

const PROTOCOL_ERROR = 1;
const thermo = { id: 'default/thermo-1', properties: { temperature: { expected: { value: '25' }, actual: { value: '23' } } } };
const all = [thermo, { id: 'default/thermo-1', state: 'online' }, thermo];

describe('mappers built with an old grpc-go, whose authority is the path of the socket', () => {
  it('[dmi-3.7] their bytes are refused by the HTTP/2 server of Node.js as it is', async () => {
    const path = join(tmpdir(), `h2-${process.pid}.sock`);
    const server = createHttp2Server(() => undefined).listen(path);
    try {
      using replay = new Replay(path);
      for (const bytes of fixture('grpc-go-1.33-one-connection')[0] ?? []) replay.send(bytes);
      await eventually(async () => replay.resets[0], 'the call is reset');
      expect(replay.resets[0]).toBe(PROTOCOL_ERROR);
    } finally {
      server.close();
      await rm(path, { force: true });
    }
  });

  it.each([
    ['as they came', Infinity],
    ['byte by byte', 1],
    ['in pieces of 7', 7],
  ])('[dmi-3.8] four calls on one connection are answered, %s', async (_, size) => {
    await using scene = await DmiScene.start();
    scene.push('insert', 'default/devicemodel/thermo-model', model());
    scene.push('insert', 'default/device/thermo-1', device());
    await eventually(async () => (scene.lines.some(({ message }) => message === 'mappers are served') ? true : undefined), 'the socket is there');
    using replay = new Replay(scene.socket);
    const bytes = Buffer.concat(fixture('grpc-go-1.33-one-connection')[0] ?? []);
    for (let at = 0; at < bytes.length; at += size) replay.send(bytes.subarray(at, at + size));
    await eventually(async () => (replay.statuses.length === 4 ? true : undefined), () => `four answers; there are ${replay.statuses.join()} and resets ${replay.resets.join()}`);
    expect(replay.statuses).toEqual(['0', '0', '0', '0']);
    expect([...scene.reported].sort((a, b) => Number('state' in a) - Number('state' in b))).toEqual([thermo, thermo, all[1]]);
    expect(scene.rows.has('node/nodeID/namespace/devicemapper/thermo-mapper')).toBe(true);
  });

  it('[dmi-3.9] a connection for each call, as the framework of upstream makes them', async () => {
    await using scene = await DmiScene.start();
    await eventually(async () => (scene.lines.some(({ message }) => message === 'mappers are served') ? true : undefined), 'the socket is there');
    const connections = fixture('grpc-go-1.33-connection-per-call');
    for (const chunks of connections) {
      using replay = new Replay(scene.socket);
      for (const chunk of chunks) replay.send(chunk);
      await eventually(async () => replay.statuses[0], 'an answer');
      expect(replay.statuses).toEqual(['0']);
    }
    expect(connections).toHaveLength(4);
    expect(scene.reported).toEqual(all);
  });

  it('[dmi-3.10] a client that speaks something else is hung up on, and harms nobody', async () => {
    await using scene = await DmiScene.start();
    await eventually(async () => (scene.lines.some(({ message }) => message === 'mappers are served') ? true : undefined), 'the socket is there');
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const broken = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.concat([preface, Buffer.from('000001010400000001', 'hex'), Buffer.from('ff'.repeat(20), 'hex')]),
      Buffer.concat([preface, Buffer.from('00000101040000000180', 'hex')]),
      Buffer.concat([preface, Buffer.from('00ffff010400000001', 'hex')]),
      Buffer.concat([preface, Buffer.from('000001090400000001be', 'hex')]),
    ];
    for (const bytes of broken) {
      using replay = new Replay(scene.socket);
      replay.send(bytes);
      await eventually(async () => (replay.closed ? true : undefined), `the connection that sent ${bytes.toString('hex').slice(0, 80)} is closed`);
    }
    using replay = new Replay(scene.socket);
    for (const bytes of fixture('grpc-go-1.33-one-connection')[0] ?? []) replay.send(bytes);
    await eventually(async () => (replay.statuses.length === 4 ? true : undefined), 'four answers');
  });

  it('[dmi-3.11] newer ones, which send the path percent-encoded, are served as they are', async () => {
    await using scene = await DmiScene.start();
    const client = new Client(`unix:${scene.socket}`, credentials.createInsecure(), { 'grpc.default_authority': '%2Fetc%2Fkubeedge%2Fdmi.sock', 'grpc.initial_reconnect_backoff_ms': 20 });
    try {
      await new Promise<void>((resolve, reject) => client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : resolve())));
      const request = ReportDeviceStatesRequest.encode({ deviceName: 'd', deviceNamespace: 'n', state: 'ok' }).finish();
      await new Promise<void>((resolve, reject) => {
        client.makeUnaryRequest('/v1beta1.DeviceManagerService/ReportDeviceStates', (bytes: Buffer) => bytes, (bytes) => bytes, Buffer.from(request), (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      client.close();
    }
    expect(scene.reported).toEqual([{ id: 'n/d', state: 'ok' }]);
  });
});
