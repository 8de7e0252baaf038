import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createCell, silentLogger, type Credentials } from '@edge/core';
import { decodeFrame, encodeFrame, FrameTypes } from '@edge/protocol';
import { createTestBus, createTestCa, testIdentity } from '@edge/testing';
import { TunnelListener, type Wire } from '@edge/tunnel';
import { expect, it } from 'vitest';
import { parseEdgeStreamConfig } from '../src/config.js';
import { EdgeStream } from '../src/edgestream.js';

interface Line {
  readonly dir?: 'cloud->edge' | 'edge->cloud';
  readonly base64?: string;
}

const frames = readFileSync(new URL('./fixtures/02-tunnel.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Line)
  .flatMap(({ dir, base64 }) => (base64 === undefined || dir === undefined ? [] : [{ dir, bytes: Buffer.from(base64, 'base64'), ...decodeFrame(Buffer.from(base64, 'base64')) }]));

const idsOf = (): number[] => [...new Set(frames.map(({ id }) => id))];
const upOf = (id: number): Buffer => Buffer.concat(frames.filter((frame) => frame.id === id && frame.dir === 'edge->cloud' && frame.type === FrameTypes.data).map(({ data }) => data));
const downOf = (id: number): Buffer => Buffer.concat(frames.filter((frame) => frame.id === id && frame.dir === 'cloud->edge' && frame.type === FrameTypes.data).map(({ data }) => data));

/** The kubelet API of the recording: answers each request with the bytes recorded for it, the end only when it has got all that it got then. */
function playKubelet(heads: string[]): (socket: Socket) => void {
  return (socket) => {
    let got = Buffer.alloc(0);
    let sent = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      got = Buffer.concat([got, bytes]);
      const end = got.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = got.subarray(0, end).toString('latin1');
      // The module's own look, which is not in the recording.
      if (head.startsWith('GET /healthz ')) return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      const id = head.includes('/containerLogs/') ? 5 : head.includes('exec-ok') ? 6 : 7;
      if (!sent) {
        sent = true;
        heads.push(head);
        const up = upOf(id);
        if (id === 5) return void socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${up.length.toString(16)}\r\n${up.toString('latin1')}\r\n0\r\n\r\n`);
        socket.write(up.subarray(0, -1));
      }
      // The last byte goes when everything has come, so the recorded order of the end is kept.
      if (got.length - end - 4 === downOf(id).length) {
        expect(got.subarray(end + 4).equals(downOf(id))).toBe(true);
        socket.end(upOf(id).subarray(-1));
      }
    });
  };
}

it('[edgestream-4.1] answers the recorded sessions with the recorded bytes, and ends each once however often the cloud does', async () => {
  const heads: string[] = [];
  const kubelet = createServer(playKubelet(heads));
  kubelet.listen(0, '127.0.0.1');
  await once(kubelet, 'listening');
  const ca = await createTestCa();
  const { certificate: cert, privateKey: key } = await ca.server();
  const got: Buffer[] = [];
  let wire: Wire | undefined;
  const cloud = new TunnelListener({
    tls: { cert, key, ca: ca.certificate }, refuse: () => undefined, onRefused: () => undefined,
    onWire: (_caller, opened) => {
      wire = opened;
      opened.listen({ frame: (bytes) => void got.push(bytes), closed: () => undefined });
    },
  });
  cloud.server.listen(0, '127.0.0.1');
  await once(cloud.server, 'listening');
  const bus = createTestBus();
  bus.play('edged', 'edged', () => ({ host: '127.0.0.1', port: (kubelet.address() as AddressInfo).port }));
  const credentials = createCell<Credentials | undefined>({ ca: ca.certificate, ...(await ca.node('edge-go')), notAfter: 0 });
  const stop = new AbortController();
  const life = new EdgeStream({
    config: parseEdgeStreamConfig({ enable: true, server: `127.0.0.1:${(cloud.server.address() as AddressInfo).port}` }), identity: testIdentity('edge-go'), credentials, bus: bus.bus, log: silentLogger,
  }).run({ signal: stop.signal, ready: () => undefined });
  try {
    await expect.poll(() => wire).toBeDefined();
    const removes = (): number => got.map(decodeFrame).filter(({ type }) => type === FrameTypes.removeConnect).length;
    let ended = 0;
    for (const id of idsOf()) {
      const down = frames.filter((frame) => frame.id === id && frame.dir === 'cloud->edge');
      for (const { bytes, type } of down) if (type !== FrameTypes.removeConnect) wire?.send(bytes, () => undefined);
      ended += 1;
      await expect.poll(removes).toBe(ended);
      // As recorded: the cloud ends a session after the node has, and one of them again and again.
      for (const { bytes, type } of down) if (type === FrameTypes.removeConnect) wire?.send(bytes, () => undefined);
    }
    expect(heads).toHaveLength(3);
    expect(heads[1]?.split('\r\n')[0]).toBe('POST /exec/default/p1/c?command=echo&command=exec-ok&error=1&output=1 HTTP/1.1');
    expect(heads[1]).toContain('\r\nUpgrade: SPDY/3.1');
    expect(heads[1]).toContain('\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: v3.channel.k8s.io');
    for (const id of idsOf()) {
      const own = got.map(decodeFrame).filter((frame) => frame.id === id);
      expect(Buffer.concat(own.filter(({ type }) => type === FrameTypes.data).map(({ data }) => Buffer.from(data))).equals(upOf(id))).toBe(true);
      expect(own.at(-1)?.type).toBe(FrameTypes.removeConnect);
      expect(own.filter(({ type }) => type === FrameTypes.removeConnect)).toHaveLength(1);
    }
    expect(got.at(-1)).toEqual(encodeFrame(7, FrameTypes.removeConnect, new Uint8Array()));
  } finally {
    stop.abort();
    await life;
    await cloud.close();
    await new Promise((resolve) => kubelet.close(resolve));
  }
});
