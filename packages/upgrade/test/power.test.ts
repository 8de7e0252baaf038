import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleFake, openNode, type Behaviour } from './support/node-scene.js';

let fake: Awaited<ReturnType<typeof bundleFake>>;
beforeAll(async () => {
  fake = await bundleFake();
});
afterAll(() => fake[Symbol.asyncDispose]());

interface Case {
  readonly at: string;
  readonly whom: 'all' | 'upgrader';
  readonly behaviour: Behaviour;
  /** Version that runs at the end. */
  readonly ends: string;
}

/** Each thing that is done on the way, and then on the way back. */
const FORWARD = ['begun', 'stopped', '/edgecore.yaml', '/edgecore.db', 'copied', '/previous', '/current', 'switched', 'proven', '/upgrade_report.json', '/last.json'];
const BACK = ['returning', 'stopped-again', '/current', 'back', 'returned'];
const CASES: readonly Case[] = [
  ...FORWARD.map((at): Case => ({ at, whom: 'all', behaviour: 'good', ends: '2.0.0' })),
  ...BACK.map((at): Case => ({ at, whom: 'all', behaviour: 'exits', ends: '1.0.0' })),
  ...['unstartable', '/edgecore.db', 'restored'].map((at): Case => ({ at, whom: 'all', behaviour: 'spoils', ends: '1.0.0' })),
  { at: 'stopped', whom: 'upgrader', behaviour: 'good', ends: '2.0.0' },
  { at: 'switched', whom: 'upgrader', behaviour: 'hangs', ends: '1.0.0' },
];

describe.concurrent('the power fails', () => {
  it.each(CASES)('[upgrade-4.1] after $at ($behaviour, $whom): the node is back with version $ends, whole', async ({ at, whom, behaviour, ends }) => {
    await using node = await openNode(fake.path);
    await node.settled();
    await node.add('2.0.0', behaviour);
    node.killAt(at, whom);
    await node.installation.upgrade({ version: 'v2.0.0', ...(behaviour === 'hangs' ? { readyTimeoutSeconds: 6 } : {}) }).catch(() => undefined);
    await node.settled();
    expect(node.killed()).toBe(true);
    expect(await node.versions.current()).toBe(ends);
    expect(await node.versions.previous()).toBe(ends === '2.0.0' ? '1.0.0' : undefined);
    expect(await node.installation.report()).toMatchObject({ event: 'Upgrade', success: ends === '2.0.0', fromVersion: 'v1.0.0', toVersion: 'v2.0.0' });
    expect(node.trouble()).toBe('');
    // What the agent of before had written is there, wherever the power failed.
    expect(readFileSync(node.database, 'utf8').split('\n')[0]).toBe('1.0.0');
    expect(existsSync(node.layout.hold) || existsSync(node.layout.journal) || existsSync(node.layout.keeper)).toBe(false);
  });
});
