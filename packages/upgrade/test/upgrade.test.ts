import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eventually } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleFake, openNode, type NodeScene } from './support/node-scene.js';

let fake: Awaited<ReturnType<typeof bundleFake>>;
beforeAll(async () => {
  fake = await bundleFake();
});
afterAll(() => fake[Symbol.asyncDispose]());

async function nodeWith(behaviour: Parameters<NodeScene['add']>[1]): Promise<NodeScene> {
  const node = await openNode(fake.path);
  await node.settled();
  await node.add('2.0.0', behaviour);
  return node;
}

/** Databases that were set aside. */
const kept = (node: NodeScene): string[] => readdirSync(dirname(node.database)).filter((name) => name.includes('.after-2.0.0-'));

describe.concurrent('an upgrade', () => {
  it('[upgrade-5.1] leaves the version from before beside the new one, takes away older ones, and goes back by command', async () => {
    await using node = await nodeWith('good');
    await node.installation.upgrade({ version: 'v2.0.0', readyTimeoutSeconds: 30 });
    await node.settled();
    await node.add('3.0.0', 'good');
    await node.installation.upgrade({ version: '3.0.0' });
    await node.settled();
    expect(await node.versions.list()).toEqual(['3.0.0', '2.0.0']);
    expect(await node.installation.running()).toBe('v3.0.0');
    await node.installation.rollBack({});
    await node.settled();
    expect(await node.installation.report()).toEqual({ event: 'Rollback', success: true, fromVersion: 'v3.0.0', toVersion: 'v2.0.0' });
    expect(await node.versions.previous()).toBe('3.0.0');
    // The data go along: nothing that was written meanwhile is lost.
    expect(readFileSync(node.database, 'utf8').split('\n').filter(Boolean)).toEqual(['1.0.0', '2.0.0', '3.0.0', '2.0.0']);
    await node.installation.dropReport();
    expect(await node.installation.report()).toBeUndefined();
    // A copy of the data lies where upstream has it.
    expect(readFileSync(join(node.layout.root, 'state', 'backup', 'v1.0.0', 'edgecore.db'), 'utf8')).toBe('1.0.0\n');
  });

  it.each([
    ['exits', 'it was started 4 times and did not go on'],
    ['never-ready', 'it was not Ready within 20 s: the agent waits for module edged (it starts)'],
    ['hangs', 'it was not Ready within 20 s: the agent runs and does not get as far as to open its database'],
  ] as const)('[upgrade-5.2] to a version that %s is taken back by itself, and its report says why', async (behaviour, reason) => {
    await using node = await nodeWith(behaviour);
    await node.installation.upgrade({ version: '2.0.0', readyTimeoutSeconds: behaviour === 'exits' ? 60 : 20 });
    await node.settled();
    expect(await node.installation.report()).toEqual({ event: 'Upgrade', success: false, fromVersion: 'v1.0.0', toVersion: 'v2.0.0', errorMessage: reason });
    expect(await node.versions.list()).toEqual(['1.0.0']);
    // The data are as the agent left them: no copy was put back.
    expect(kept(node)).toEqual([]);
    // A roll-back that is ordered behind it finds it done.
    await node.installation.rollBack({});
    expect(await node.installation.report()).toEqual({ event: 'Rollback', success: true, fromVersion: 'v2.0.0', toVersion: 'v1.0.0' });
  });

  it('[upgrade-5.3] to a version that writes what the one before cannot read: the copy comes back, and what it wrote is kept', async () => {
    await using node = await nodeWith('spoils');
    await node.installation.upgrade({ version: '2.0.0' });
    await node.settled();
    expect(readFileSync(node.database, 'utf8')).toBe('1.0.0\n1.0.0\n');
    expect(kept(node).map((name) => readFileSync(join(dirname(node.database), name), 'utf8'))).toEqual(['unreadable']);
  });

  it('[upgrade-5.4] of the configuration: one that the agent does not get Ready with is taken back', async () => {
    await using node = await openNode(fake.path, 20);
    await node.settled();
    const path = join(node.layout.root, 'state', 'edgecore.yaml');
    const config = (): string => readFileSync(path, 'utf8');
    // A link to the file that is kept elsewhere stays one, there and back.
    await rename(path, join(node.layout.root, 'kept.yaml'));
    await symlink('../kept.yaml', path);
    await node.installation.updateConfiguration({ 'a.b': '1' });
    await node.settled();
    expect(config()).toBe('good: 1\n{"a.b":"1"}\n');
    expect(await node.installation.report()).toMatchObject({ event: 'ConfigUpdate', success: true });
    await node.installation.updateConfiguration({ c: 'bad' });
    await node.settled();
    expect(config()).toBe('good: 1\n{"a.b":"1"}\n');
    expect(await node.installation.report()).toMatchObject({ event: 'ConfigUpdate', success: false, fromVersion: 'v1.0.0', toVersion: 'v1.0.0' });
    expect(existsSync(node.layout.configurationAfter)).toBe(false);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  it('[upgrade-5.5] is refused, and stops nothing, while another is under way, without room, of a version that is not there or runs', async () => {
    await using node = await nodeWith('good');
    const pid = readFileSync(node.layout.agentPid, 'utf8');
    await expect(node.installation.upgrade({ version: '9.9.9' })).rejects.toMatchObject({ code: 'upgrade.no-version', message: expect.stringContaining('there are v2.0.0, v1.0.0') as string });
    await expect(node.installation.upgrade({ version: '1.0.0' })).rejects.toMatchObject({ code: 'upgrade.bad-version' });
    await expect(node.installation.upgrade({ version: '../../etc' })).rejects.toMatchObject({ code: 'upgrade.bad-version' });
    await expect(node.installation.rollBack({})).rejects.toMatchObject({ code: 'upgrade.no-version' });
    expect(readFileSync(node.layout.agentPid, 'utf8')).toBe(pid);
    const record = join(node.layout.root, 'state', 'idempotency_record');
    // Upstream's tool leaves an empty file behind when it is killed; that is no reason to refuse for ever.
    await writeFile(record, '');
    await node.installation.upgrade({ version: '2.0.0' });
    await expect(node.installation.upgrade({ version: '2.0.0' })).rejects.toMatchObject({ code: 'upgrade.busy' });
    expect(await node.installation.report()).toBeUndefined();
    await node.settled();
    expect(existsSync(record)).toBe(false);
  });
});

describe.concurrent('the launcher', () => {
  it('[upgrade-5.6] starts the version from before when the current one is damaged, and any that is whole when both are', async () => {
    await using node = await nodeWith('good');
    await node.installation.upgrade({ version: '2.0.0' });
    await node.settled();
    await node.add('0.5.0', 'good');
    const runs = async (version: string): Promise<void> => {
      process.kill(Number(readFileSync(node.layout.agentPid, 'utf8')), 'SIGKILL');
      const last = (): string | undefined => readFileSync(node.database, 'utf8').trim().split('\n').at(-1);
      await eventually(async () => (last() === version ? true : undefined), () => `version ${last() ?? ''} ran last, not ${version}`);
    };
    await rm(join(node.layout.versions, '2.0.0', 'node_modules'), { recursive: true });
    await runs('1.0.0');
    await rm(join(node.layout.versions, '1.0.0', 'edgecore.json'));
    await runs('0.5.0');
  });
});
