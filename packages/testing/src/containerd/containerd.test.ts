import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { startContainerd, type Containerd } from './containerd.js';
import { host, mountsBelow, processesWith, requireContainerd } from './host.js';
import { groupRoots } from './leftovers.js';
import { BUSYBOX_IMAGE } from './test-images.js';

/** Runs a container without CRI in a control group of the kit, as an agent would have placed it. */
async function run(runtime: Containerd, name: string, image: string, ...command: readonly string[]): Promise<void> {
  await runtime.ctr('run', '-d', '--runc-root', join(runtime.folder, 'runc'), '--cgroup', `${runtime.cgroupRoot}/${name}`, image, name, ...command);
}

it('[testing-containerd-1] two runtimes run side by side, and disposing one removes its processes, mounts, control groups, bridge and folder', { timeout: 60_000 }, async () => {
  const image = 'localhost/edge/mine:1';
  const [one, other] = await Promise.all([
    startContainerd({ images: [{ name: image, config: { Entrypoint: ['/bin/sleep', '1000'] }, files: [{ path: 'note', content: 'hello' }] }] }),
    startContainerd({ network: false }),
  ]);
  try {
    expect(other.subnet).not.toBe(one.subnet);
    await run(one, 'a', image);
    await run(other, 'b', BUSYBOX_IMAGE, 'sleep', '1000');
    const inside = await one.ctr('task', 'exec', '--exec-id', 'look', 'a', 'cat', '/note');
    expect(inside).toBe('hello');
    // Mounts that are in use do not keep the rest from being removed.
    const busy = join(one.folder, 'busy');
    await host('mkdir', busy);
    await host('mount', '-t', 'tmpfs', 'tmpfs', busy);
    const groups = groupRoots().map((root) => join(root, one.cgroupRoot)).filter(existsSync);
    expect(groups.length).toBeGreaterThan(0);
    await one[Symbol.asyncDispose]();
    expect(existsSync(one.folder)).toBe(false);
    expect(mountsBelow(one.folder)).toEqual([]);
    expect(processesWith(one.folder)).toEqual([]);
    expect(groups.filter(existsSync)).toEqual([]);
    expect(await other.ctr('task', 'ls')).toContain('RUNNING');
  } finally {
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  }
});

it('[testing-containerd-2] the server stops, stands still and dies while its containers run on', { timeout: 60_000 }, async () => {
  await using runtime = await startContainerd();
  await run(runtime, 'a', BUSYBOX_IMAGE, 'sleep', '1000');
  const first = runtime.pid;
  await runtime.stop();
  expect(runtime.pid).toBeUndefined();
  await runtime.start();
  expect(runtime.pid).not.toBe(first);
  expect(await runtime.ctr('task', 'ls')).toMatch(/a\s+\d+\s+RUNNING/);

  runtime.freeze();
  await vi.waitFor(() => expect(readFileSync(`/proc/${runtime.pid}/stat`, 'utf8')).toContain(') T '), { timeout: 20_000 });
  const answer = runtime.ctr('version').then(() => 'answered');
  expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 300, 'silent'))])).toBe('silent');
  runtime.thaw();
  expect(await answer).toBe('answered');

  await runtime.kill();
  await runtime.start();
  expect(await runtime.ctr('task', 'ls')).toMatch(/a\s+\d+\s+RUNNING/);
});

it('[testing-containerd-3] a machine or a user that cannot run containers is told what is missing', () => {
  expect(() => requireContainerd('/nowhere')).toThrow(/containerd, ctr, .*apt-get install containerd runc iproute2 mount/);
  expect(() => requireContainerd(undefined, 1000)).toThrow('run as root');
});
