import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { collectingLogger } from '@edge/testing';
import { protectFromOutOfMemory } from './oom-score.js';

it('[edged-26.50] the agent is ended after others when memory runs out, but not where pods are its own processes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'oom-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const log = collectingLogger();
  await protectFromOutOfMemory(-999, 'process', log, join(folder, 'a'));
  await protectFromOutOfMemory(undefined, 'cri', log, join(folder, 'a'));
  await expect(readFile(join(folder, 'a'))).rejects.toThrow();
  await protectFromOutOfMemory(-999, 'cri', log, join(folder, 'a'));
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('-999');
  await protectFromOutOfMemory(-999, 'cri', log, join(folder, 'none', 'a'));
  expect(log.lines).toMatchObject([{ level: 'verbose' }]);
});
