import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessage, Modules } from '@edge/protocol';
import { describeModule, runModule } from '@edge/testing';
import { afterAll, expect, it } from 'vitest';
import { twinRecorder } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'twin-recorder-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeModule(twinRecorder, async () => ({}));

it('[own-module-1.1] writes down what the device twin is told, in order, and answers', async () => {
  const file = join(folder, 'record.jsonl');
  await using running = await runModule(twinRecorder, { config: { modules: { deviceTwin: { file } } } });
  const told = (resource: string, content: unknown): ReturnType<typeof createMessage> => createMessage({ source: 'test', group: 'twin', operation: 'update', resource, content });
  await running.bus.bus.send({ module: Modules.deviceTwin }, told('device/pump/updated', { name: 'pump' }));
  const answer = await running.bus.bus.request({ module: Modules.deviceTwin }, told('device/pump/twin', 7));
  expect(answer.content).toBe('OK');
  expect(readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
    { source: 'test', operation: 'update', resource: 'device/pump/updated', content: { name: 'pump' } },
    { source: 'test', operation: 'update', resource: 'device/pump/twin', content: 7 },
  ]);
});

it('[own-module-1.2] answers with what is wrong where it cannot write', async () => {
  await using running = await runModule(twinRecorder, { config: { modules: { deviceTwin: { file: join(folder, 'none', 'record.jsonl') } } } });
  const question = createMessage({ source: 'test', group: 'twin', operation: 'update', resource: 'device/pump/twin' });
  const answer = await running.bus.bus.request({ module: Modules.deviceTwin }, question);
  expect(answer.route.operation).toBe('error');
  expect(String(answer.content)).toContain('ENOENT');
});

it.each([
  [{ enable: 'yes' }, 'enable is "yes", it must be true or false'],
  [{ file: 'record.jsonl' }, 'file is "record.jsonl", it must be an absolute path'],
])('[own-module-1.3] settings %j are refused with what would be right', (raw, text) => {
  expect(() => twinRecorder.config.parse(raw, {})).toThrow(text);
});
