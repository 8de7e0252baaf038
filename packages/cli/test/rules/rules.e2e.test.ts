import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '@edge/testing';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, temporaryFolder } from '../support/agent.js';
import { startDev, type Dev } from '../support/dev.js';
import { mqttClient, type TestClient } from '../support/mqtt.js';

const run = promisify(execFile);
const example = fileURLToPath(new URL('../../../../examples/rules/', import.meta.url));

/** Both ends of the example, as its README starts them. */
async function bothEnds(service: number, application: number): Promise<{ said(text: string): Promise<void> } & AsyncDisposable> {
  const { outputFiles } = await build({ entryPoints: [join(example, 'both-ends.ts')], format: 'esm', write: false });
  const child = spawn(process.execPath, ['--input-type=module', '-', String(service), String(application)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stdin.end(outputFiles[0]?.text);
  return {
    said: (text) => eventually(() => output.includes(text), 90_000, () => `both ends did not say ${text}; they said:\n${output}`),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let dev: Dev;
let ends: Awaited<ReturnType<typeof bothEnds>>;
let mqtt: TestClient;
let rules = '';
let programs = '';
const curl = async (...args: string[]): Promise<string> => (await run('curl', ['--silent', '--show-error', '--max-time', '120', ...args])).stdout;

beforeAll(async () => {
  const ports = await freePorts(2);
  folder = await temporaryFolder();
  ends = await bothEnds(ports, ports + 1);
  dev = await startDev(folder.path);
  await dev.said('Node edge-e2e is Ready');
  // The example's node and ports; others look for the same ones.
  const manifest = join(folder.path, 'rules.yaml');
  writeFileSync(manifest, readFileSync(join(example, 'rules.yaml'), 'utf8').replaceAll('edge-1', 'edge-e2e').replaceAll('9191', String(ports)).replaceAll('9192', String(ports + 1)));
  await dev.kubectl('apply', '-f', manifest);
  rules = `${/rules\s+(http:\/\/[\d.:]+)\//.exec(dev.output)?.[1]}/edge-e2e/default`;
  programs = /programs on the node ask (http:\/\/[\d.:]+)/.exec(dev.output)?.[1] ?? '';
  mqtt = await mqttClient(Number(/tcp:\/\/127\.0\.0\.1:(\d+)/.exec(dev.output)?.[1]), ['lamp/#']);
}, 300_000);
afterAll(async () => {
  await mqtt?.[Symbol.asyncDispose]();
  await dev?.[Symbol.asyncDispose]();
  await ends?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
}, 120_000);

it('[rules-1.1] curl in the cloud reaches an MQTT topic on the node', { timeout: 120_000 }, async () => {
  expect(await curl('-d', 'on', `${rules}/lamp`)).toBe('message delivered');
  expect(await curl('-d', 'dim', `${rules}/lamp/kitchen`)).toBe('message delivered');
  await mqtt.next(({ topic, payload }) => topic === 'lamp/set' && payload === 'on', 0, 60_000);
  await mqtt.next(({ topic, payload }) => topic === 'lamp/set/kitchen' && payload === 'dim', 0, 60_000);
});

it('[rules-1.2] curl in the cloud reaches an HTTP service on the node, and its answer comes back', { timeout: 120_000 }, async () => {
  expect(await curl('-d', 'Ada', `${rules}/greet?loud=1`)).toBe('the service got Ada\n');
  await ends.said('service on the node: POST /greet/?loud=1 Ada');
});

it('[rules-1.3] a message of MQTT on the node reaches an application in the cloud', { timeout: 120_000 }, async () => {
  await mqtt.publish('default/lamp/state', 'off');
  await ends.said('application in the cloud: POST /state off');
});

it('[rules-1.4] a program on the node reaches an application in the cloud, and the answer comes back', { timeout: 120_000 }, async () => {
  const body = '{"method":"POST","targetURL":"http://cloud/orders","payload":{"tea":2}}';
  // The server opens with the rule, a moment after kubectl.
  await eventually(async () => (await curl('-d', body, programs).catch(() => '')).includes('"code":200'), 60_000, () => 'the server for programs does not answer');
  expect(await curl('-d', body, programs)).toBe('{"code":200,"msg":"receive response from cloud successfully","body":"the application got 96 characters"}');
  await ends.said(`application in the cloud: POST /orders ${Buffer.from(body).toString('base64')}`);
});

it('[rules-1.5] a rule reaches none of the agent\'s own ports, and kubectl shows what arrived', { timeout: 120_000 }, async () => {
  const own = new URL(programs).port;
  await dev.kubectl('patch', 'ruleendpoint', 'service', '--type=merge', '-p', JSON.stringify({ spec: { properties: { service_port: own } } }));
  await eventually(async () => (await curl('-d', 'x', `${rules}/greet`)).includes(`port ${own} of this node is the servicebus itself`), 60_000, () => 'the rule reaches the servicebus itself');
  await eventually(async () => /cloud-to-mqtt\s+rest\s+mqtt\s+2\s/.test(await dev.kubectl('get', 'rules')), 60_000, () => 'two messages are not counted');
});
