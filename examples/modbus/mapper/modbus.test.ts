import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog, startMapper } from '@edge/mapper';
import { TestEdgeCore, testDevice } from '@edge/mapper/testing';
import modbusSerial from 'modbus-serial';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { modbus } from './modbus.js';

// An implementation of others: Debian's python3-pymodbus, for Debian's Python.
const PYTHON = '/usr/bin/python3';
const SIMULATOR = fileURLToPath(new URL('simulator.py', import.meta.url));
const SOON = { timeout: 30_000, interval: 20 };

let folder = '';
let port = 0;
let server: ChildProcess | undefined;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  probe.close();
  return free;
}

async function startServer(): Promise<void> {
  let output = '';
  server = spawn(PYTHON, [SIMULATOR, String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  await vi.waitFor(async () => {
    if (server?.exitCode !== null) throw new Error(`the Modbus server ended (python3-pymodbus and python3-serial-asyncio are needed):\n${output}`);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
  }, SOON);
}

async function stopServer(): Promise<void> {
  if (!server || server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGKILL');
  await gone;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'modbus-'));
  port = await freePort();
  await startServer();
});

afterEach(async () => {
  await stopServer();
  rmSync(folder, { recursive: true });
});

function boiler(setpoint: string): ReturnType<typeof testDevice> {
  return testDevice({
    name: 'boiler-1',
    protocol: 'modbus-tcp',
    config: { ip: '127.0.0.1', port, slaveID: 1 },
    stateCycle: 200,
    properties: {
      temperature: { type: 'FLOAT', accessMode: 'ReadOnly', visitors: { register: 'InputRegister', offset: 0, scale: 0.1 } },
      outside: { type: 'INT', accessMode: 'ReadOnly', visitors: { register: 'InputRegister', offset: 1, isSigned: true } },
      flow: { type: 'DOUBLE', accessMode: 'ReadOnly', visitors: { register: 'InputRegister', offset: 2, dataType: 'float', isRegisterSwap: true } },
      valve: { type: 'BOOLEAN', accessMode: 'ReadOnly', visitors: { register: 'DiscreteInputRegister', offset: 0 } },
      setpoint: { type: 'FLOAT', desired: setpoint, visitors: { register: 'HoldingRegister', offset: 2, dataType: 'float' } },
      count: { type: 'INT', desired: '4660', visitors: { register: 'HoldingRegister', offset: 5, isSwap: true } },
      pump: { type: 'BOOLEAN', desired: 'true', visitors: { register: 'CoilRegister', offset: 3 } },
    },
  });
}

it('[modbus-2.1] reads and writes every kind of register of a server of others, and goes on after its loss', async () => {
  await using edgeCore = new TestEdgeCore(join(folder, 'dmi.sock'));
  await edgeCore.start();
  const { device, model } = boiler('55.5');
  await edgeCore.add(device, model);
  await using _mapper = await startMapper(modbus, { name: 'modbus', protocol: 'modbus-tcp', edgeCoreSocket: edgeCore.socket, http: false, log: silentLog, timing: { longestPauseMs: 1000 } });
  const value = (property: string): string | undefined => edgeCore.reported('boiler-1', property)?.reported;
  const all = (): Record<string, string | undefined> => Object.fromEntries(['temperature', 'outside', 'flow', 'valve', 'setpoint', 'count', 'pump'].map((name) => [name, value(name)]));
  const expected = { temperature: '21.5', outside: '-100', flow: '84.775390625', valve: 'true', setpoint: '55.5', count: '4660', pump: 'true' };
  await vi.waitFor(() => expect(all()).toEqual(expected), SOON);

  // What the registers hold, without the mapper's driver.
  const client = new modbusSerial.default();
  await client.connectTCP('127.0.0.1', { port });
  client.setID(1);
  expect((await client.readHoldingRegisters(2, 4)).data).toEqual([0x425e, 0, 0, 0x3412]);
  expect((await client.readCoils(3, 1)).data[0]).toBe(true);
  await new Promise<void>((resolve) => client.close(() => resolve()));

  await stopServer();
  await vi.waitFor(() => expect(edgeCore.state('boiler-1')).toBe('offline'), SOON);
  edgeCore.statuses.length = 0;
  // It comes back as empty as after a loss of power, while another value was asked for meanwhile.
  await edgeCore.update(boiler('60.25').device);
  await startServer();
  await vi.waitFor(() => expect(all()).toEqual({ ...expected, setpoint: '60.25' }), SOON);
  await vi.waitFor(() => expect(edgeCore.state('boiler-1')).toBe('online'), SOON);
});
