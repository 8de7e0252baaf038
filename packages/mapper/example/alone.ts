import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMapper, type Driver } from '../src/index.js';
import { TestEdgeCore, testDevice } from '../src/testing/index.js';

// A mapper of a heater that is a number in memory, with an EdgeCore that is played: it hears the temperature, sets it, and takes the device away.
const print = (line: string): void => void process.stdout.write(`${line}\n`);
let degrees = 20;
const heater: Driver<string> = {
  init(device) {
    print(`driver: ${device.id} is opened`);
    return device.id;
  },
  read: () => degrees,
  write(property, value) {
    print(`driver: ${property.name} is set to ${String(value)}`);
    degrees = Number(value);
  },
  stop: (device) => print(`driver: ${device.id} is closed`),
};

const folder = await mkdtemp(join(tmpdir(), 'mapper-alone-'));
await using edgeCore = new TestEdgeCore(join(folder, 'dmi.sock'));
await edgeCore.start();
const made = (desired: string): ReturnType<typeof testDevice> => testDevice({ name: 'heater', properties: { temperature: { type: 'INT', accessMode: 'ReadWrite', minimum: '5', maximum: '30', desired, reportCycle: 50 } } });
const { device, model } = made('');
await edgeCore.add(device, model);

const log = { error: (line: string) => print(`error: ${line}`), warn: (line: string) => print(`warning: ${line}`), info: (line: string) => print(`info: ${line}`) };
const mapper = await startMapper(heater, { name: 'heater-mapper', protocol: 'test', edgeCoreSocket: edgeCore.socket, socketPath: join(folder, 'heater.sock'), http: false, log, env: {} });
await reported('20');
await edgeCore.update(made('24').device);
await reported('24');
await edgeCore.update(made('99').device);
await edgeCore.remove(device);
await mapper.stop();
await edgeCore[Symbol.asyncDispose]();
await rm(folder, { recursive: true });

/** Waits until EdgeCore has heard the value. */
async function reported(value: string): Promise<void> {
  for (let round = 0; round < 3000 && edgeCore.reported('heater', 'temperature')?.reported !== value; round += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  print(`to EdgeCore: temperature ${String(edgeCore.reported('heater', 'temperature')?.reported)}`);
}
