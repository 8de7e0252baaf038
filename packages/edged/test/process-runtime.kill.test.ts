import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { sleep } from '@edge/core';
import { eventually, outputOf } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerConfig, podConfig } from './process-runtime/configs.js';
import { bundle, Workshop } from './process-runtime/workshop.js';

const ROUNDS = 36;
const LINES = 4_000;
const never = new AbortController().signal;

describe('an agent that is killed with -9', () => {
  let shop: Workshop;
  let agent: ChildProcess | undefined;

  beforeAll(async () => {
    shop = await Workshop.create();
    await bundle(new URL('./process-runtime/agent.ts', import.meta.url).pathname, join(shop.folder, 'agent.mjs'));
  });

  afterAll(async () => {
    agent?.kill('SIGKILL');
    await shop[Symbol.asyncDispose]();
  });

  const startAgent = (round: number): ChildProcess =>
    spawn(process.execPath, [join(shop.folder, 'agent.mjs'), shop.root, shop.logRoot, join(shop.folder, 'witness'), String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });

  it(`[edged-process-1] at ${ROUNDS} random points: no process is disturbed or started twice, no exit code and no line of a log is lost`, { timeout: 240_000 }, async () => {
    // A pod that writes to both streams all the time, with lines, and with more than the limit of the raw files.
    const pod = podConfig('writer', shop.logRoot);
    const script = `n=0; while [ $n -lt ${LINES} ]; do n=$((n+1)); echo "out $n of a line that is a bit longer than the others"; [ $((n % 3)) = 0 ] && echo "err $n" >&2; [ $((n % 10)) = 0 ] && sleep 0.03; done; printf end; exit 44`;
    let writer: string;
    {
      await using first = await shop.open();
      const sandbox = await first.runPodSandbox(pod);
      writer = await first.createContainer(sandbox, containerConfig('writer', ['/bin/sh', '-c', script]), pod);
      await first.startContainer(writer);
    }

    let openMs = 300;
    for (let round = 0; round < ROUNDS; round += 1) {
      agent = startAgent(round);
      const exit = once(agent, 'exit');
      const open = once(agent.stdout as Readable, 'data');
      // Every third is killed while it opens, the others in the work after that.
      if (round % 3 === 0) {
        await sleep(openMs * (0.2 + Math.random()), never);
      } else {
        const spawned = Date.now();
        await open;
        openMs = Date.now() - spawned;
        await sleep(Math.random() * 300, never);
      }
      agent.kill('SIGKILL');
      await exit;
    }

    const runtime = await shop.open({ rawLimit: 20_000 });
    for (const { id } of await runtime.listContainers({ state: 'created' })) await runtime.startContainer(id);
    const ending = await runtime.listContainers({ labels: { name: 'ending' } });
    for (const { id } of ending) {
      const status = await eventually(async () => {
        const now = await runtime.containerStatus(id);
        return now.state === 'exited' ? now : undefined;
      }, 'the container ends');
      expect(status).toMatchObject({ exitCode: 33, reason: 'Error' });
    }

    const starts = (await readFile(join(shop.folder, 'witness'), 'utf8')).trim().split('\n');
    expect(new Set(starts).size).toBe(starts.length);
    expect(starts.length).toBe(ending.length);
    const acknowledged = (await readFile(join(shop.folder, 'witness.started'), 'utf8')).trim().split('\n');
    expect(acknowledged.filter((id) => !ending.some((container) => container.id === id))).toEqual([]);

    const end = await eventually(async () => {
      const now = await runtime.containerStatus(writer);
      return now.state === 'exited' ? now : undefined;
    }, 'the writer ends');
    expect(end).toMatchObject({ exitCode: 44 });
    const log = await readFile(end.logPath, 'latin1');
    const numbers = Array.from({ length: LINES }, (_, n) => n + 1);
    expect(outputOf(log, 'stdout')).toBe(`${numbers.map((n) => `out ${n} of a line that is a bit longer than the others\n`).join('')}end`);
    expect(outputOf(log, 'stderr')).toBe(numbers.filter((n) => n % 3 === 0).map((n) => `err ${n}\n`).join(''));

    for (const { id } of await runtime.listPodSandboxes()) await runtime.removePodSandbox(id);
    expect(await shop.processes()).toEqual([]);
  });
});
