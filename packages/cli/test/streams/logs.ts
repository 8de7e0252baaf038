import { request, type Agent } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import type { StreamScene } from './stream-scene.js';

/** `kubectl logs` with each of its options. */
export function logTests(scene: () => StreamScene): void {
  it('[cli-stream-1.1] kubectl logs: the last lines, with times, of a time, so many bytes, of one container or all, of the life before', { timeout: 300_000 }, async () => {
    const { kubectl } = scene();
    await eventually(async () => (await kubectl.text('logs', 'p')).includes('line 3\n'), 90_000, () => 'no third line');
    expect(await kubectl.text('logs', 'p', '--tail=1', '--timestamps')).toMatch(/^\d{4}-\S+Z line \d+\n$/);
    expect(await kubectl.text('logs', 'p', '--limit-bytes=9')).toBe('line 1\nli');
    expect(await kubectl.text('logs', 'p', '--tail=0')).toBe('');
    expect(await kubectl.text('logs', 'p', '--since=1h', '--limit-bytes=7')).toBe('line 1\n');
    const [, second = ''] = (await kubectl.text('logs', 'p', '--timestamps')).split('\n');
    const [time = ''] = second.split(' ');
    // kubectl speaks in whole seconds; the line is in that second or in the next.
    expect((await kubectl.text('logs', 'p', `--since-time=${time}`)).startsWith('line 1\n')).toBe(false);
    expect(await kubectl.text('logs', 'p', '--since-time=2100-01-01T00:00:00Z')).toBe('');
    expect(await kubectl.run(['logs', 'p', '--previous'])).toMatchObject({ code: 1, stderr: expect.stringContaining('not found') as string });

    await eventually(async () => (await kubectl.run(['logs', 'two', '-c', 'a'])).stdout.toString() === 'second life\n', 90_000, () => 'no second life');
    expect(await kubectl.text('logs', 'two', '-c', 'a', '--previous')).toBe('first life\n');
    expect((await kubectl.text('logs', 'two', '--all-containers', '--prefix')).split('\n').sort()).toEqual(['', '[pod/two/a] second life', '[pod/two/b] from b']);
    expect((await kubectl.run(['logs', 'two', '-c', 'none'])).stderr).toContain('container none is not valid for pod two');
  });

  it('[cli-stream-1.6] twenty logs are followed at once beside a reader that has stopped reading; all connections are let go', { timeout: 300_000 }, async () => {
    const { kubectl } = scene();
    const stalled = await stall(scene(), 'flood');
    const followers = Array.from({ length: 20 }, () => kubectl.start('logs', '-f', 'p', '--tail=1'));
    const lines = (text: string): number => text.split('\n').length - 1;
    await eventually(() => followers.every(({ said }) => lines(said) >= 3), 120_000, () => `lines that came: ${followers.map(({ said }) => lines(said)).join(' ')}`);
    await Promise.all(followers.map((follower) => follower.kill()));
    expect(stalled.destroyed).toBe(false);
    stalled.destroy();
  });
}

/** A reader of a log that takes its beginning and then nothing more. */
function stall({ api }: StreamScene, pod: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(`${api.url}/api/v1/namespaces/default/pods/${pod}/log?follow=true`, { ca: api.ca, headers: api.headers, agent: false as unknown as Agent }, (answer) => {
      answer.on('error', () => undefined);
      answer.once('data', () => {
        answer.pause();
        resolve(answer);
      });
    });
    asked.on('error', reject).end();
  });
}
