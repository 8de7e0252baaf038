import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { errorCode, errorText } from '@edge/core';
import { createTestCa, type TestCa } from '@edge/testing';
import { beforeAll, expect, it } from 'vitest';
import { dialTunnel, Tunnel, TunnelListener, type TunnelCaller, type TunnelSession } from '../src/index.js';

const SILENCE = { first: 600_000, later: 600_000 };
let ca: TestCa;
beforeAll(async () => {
  ca = await createTestCa();
});

interface Cloud extends AsyncDisposable {
  readonly port: number;
  readonly tunnels: { readonly caller: TunnelCaller; readonly tunnel: Tunnel }[];
}

async function listen(names?: readonly string[], refuse: (caller: TunnelCaller) => string | undefined = () => undefined): Promise<Cloud> {
  const { certificate: cert, privateKey: key } = await ca.server(names);
  const tunnels: Cloud['tunnels'] = [];
  const listener = new TunnelListener({
    tls: { cert, key, ca: ca.certificate }, refuse, onRefused: () => undefined,
    onWire: (caller, wire) => void tunnels.push({ caller, tunnel: new Tunnel({ wire, onGarbage: () => undefined, silence: SILENCE }) }),
  });
  listener.server.listen(0, '127.0.0.1');
  await once(listener.server, 'listening');
  return { port: (listener.server.address() as AddressInfo).port, tunnels, [Symbol.asyncDispose]: () => listener.close() };
}

async function dial(port: number, more: object = {}): ReturnType<typeof dialTunnel> {
  const { certificate, privateKey } = await ca.node('edge-1');
  return dialTunnel({
    host: '127.0.0.1', port, ca: ca.certificate, certificate, privateKey, nodeName: 'edge-1', internalIp: '192.0.2.2', limitMs: 20_000, signal: new AbortController().signal, ...more,
  });
}

it('[tunnel-5.1] opens a tunnel over TLS with certificates of both sides and carries any bytes as text', async () => {
  await using cloud = await listen();
  const { wire, otherName } = await dial(cloud.port);
  expect(otherName).toBeUndefined();
  const asked: TunnelSession[] = [];
  const edge = new Tunnel({ wire, onGarbage: () => undefined, silence: SILENCE, onSession: (session) => void asked.push(session) });
  await expect.poll(() => cloud.tunnels.length).toBe(1);
  expect(cloud.tunnels[0]?.caller).toEqual({ nodeName: 'edge-1', internalIp: '192.0.2.2', commonName: 'system:node:edge-1' });
  const session = cloud.tunnels[0]?.tunnel.open('exec', { id: 1, path: '/exec/a/b/c', query: '', headers: {} }) as TunnelSession;
  await expect.poll(() => asked.length).toBe(1);
  const sent = randomBytes(3_000_000);
  asked[0]?.end(sent);
  const parts: Buffer[] = [];
  for await (const part of session) parts.push(part as Buffer);
  expect(Buffer.concat(parts).equals(sent)).toBe(true);
  edge.close('done');
  expect(await cloud.tunnels[0]?.tunnel.ended).toBe('closed with code 1000');
});

it('[tunnel-5.2] refuses a cloud of another authority, and takes one of the right authority under another name', async () => {
  await using other = await listen(['elsewhere.example']);
  const { wire, otherName } = await dial(other.port);
  expect(otherName).toContain('127.0.0.1');
  wire.terminate();
  const stranger = await createTestCa('stranger');
  const refused = await dial(other.port, { ca: stranger.certificate }).then(() => undefined, (error: unknown) => error);
  expect(errorCode(refused)).toBe('tunnel.dial');
  expect(errorText(refused)).toMatch(/no tunnel to 127.0.0.1:\d+: .*certificate/);
});

it('[tunnel-5.3] says what the cloud says when it refuses, when it is not there, and when it is silent', async () => {
  await using cloud = await listen(undefined, ({ commonName }) => `the certificate belongs to "${commonName}"`);
  await expect(dial(cloud.port)).rejects.toThrow('answered 403: the certificate belongs to "system:node:edge-1"');
  const { port } = cloud;
  await cloud[Symbol.asyncDispose]();
  await expect(dial(port)).rejects.toThrow(/no tunnel to .*ECONNREFUSED/);
  await expect(dial(port, { signal: AbortSignal.abort() })).rejects.toThrow('stopped before');
});

it('[tunnel-5.4] a certificate or key that is none fails the attempt, not the process', async () => {
  await using cloud = await listen();
  const refused = await dial(cloud.port, { certificate: 'no certificate' }).then(() => undefined, (error: unknown) => error);
  expect(errorCode(refused)).toBe('tunnel.dial');
  await expect(dial(cloud.port, { privateKey: (await ca.node('edge-1')).privateKey })).rejects.toThrow(/no tunnel to .*key/);
});
