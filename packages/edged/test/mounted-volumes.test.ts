import { chown, lstat, mkdir, mkdtemp, open as openFile, readdir, readFile, realpath, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode, silentLogger } from '@edge/core';
import type { Container, Pod, Volume } from '@edge/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mountsBelow, readMountTable } from '../src/volumes/mount-table.js';
import { openMounter, type Mounter } from '../src/volumes/mounter.js';
import type { VolumePlan } from '../src/volumes/plan-volumes.js';
import { Volumes } from '../src/volumes/volumes.js';
import type { PersistentVolume } from '../src/volumes/claims.js';
import { somePod } from './plan-kit.js';

const signal = new AbortController().signal;
const facts = { nodeName: 'n', hostIPs: [], podIPs: [], allocatable: { memory: '1Gi' } };

let root: string;
let mounter: Mounter;
let secret: Record<string, string>;
let claimed: Map<string, PersistentVolume>;
let handlerCan: boolean;

const open = (): Volumes =>
  new Volumes({
    root,
    objects: { fetch: async () => new Map([['secret/s', { metadata: {}, data: secret }]]) } as never,
    tokens: { forVolume: async (_: Pod, { projected }: Volume) => new Map(projected ? [['token', 'jwt']] : []) } as never,
    claims: { forPod: async () => claimed } as never,
    csi: { takeDown: async () => undefined } as never,
    mounter,
    recursiveReadOnly: async () => handlerCan,
    labels: false,
    log: silentLogger,
  });

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'edged-mounted-')));
  const opened = await openMounter();
  if (!opened) throw new Error('these tests mount: they need root, and mount and umount of util-linux (Debian package mount)');
  mounter = opened;
  secret = { key: Buffer.from('one').toString('base64') };
  claimed = new Map();
  handlerCan = false;
});

afterEach(async () => {
  for (const { mountPoint } of mountsBelow(await readMountTable(), root)) await mounter.unmount(mountPoint, true);
  await rm(root, { recursive: true });
});

const mounted = async (): Promise<string[]> => mountsBelow(await readMountTable(), root).map(({ mountPoint, filesystem }) => `${filesystem} ${mountPoint.slice(root.length + 1)}`);
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);
const pathOf = (plans: readonly VolumePlan[], name: string): string => plans.find((plan) => plan.name === name)?.path ?? '';
const mountsOf = (volumes: Volumes, plans: readonly VolumePlan[], volumeMounts: Container['volumeMounts'], env = new Map<string, string>()) =>
  volumes.mounts({ pod: somePod(), container: { name: 'c', volumeMounts } as Container, volumes: plans, env, handler: '' }, signal);

describe('volumes that are mounted', () => {
  it('[edged-28.10] secrets are in memory and replaced as a whole; an emptyDir of medium Memory is as large as the least of its limits; all are gone after release', async () => {
    const volumes = open();
    const pod = somePod({
      volumes: [
        { name: 's', secret: { secretName: 's' } },
        { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'd', emptyDir: {} },
      ],
    });
    const plans = await volumes.prepare(pod, facts, signal);
    const at = pathOf(plans, 's');
    expect((await mounted()).sort()).toEqual(['tmpfs pods/u/volumes/kubernetes.io~empty-dir/m', 'tmpfs pods/u/volumes/kubernetes.io~secret/s']);
    expect(spawnSync('df', ['--output=size', '-B1', pathOf(plans, 'm')]).stdout.toString()).toContain(`${1 << 20}`);
    expect([await modeOf(pathOf(plans, 'm')), await modeOf(pathOf(plans, 'd')), await modeOf(join(root, 'pods/u'))]).toEqual(['1777', '777', '750']);
    await writeFile(join(pathOf(plans, 'd'), 'mine'), 'x');
    await chown(pathOf(plans, 'd'), 7, 7);
    secret = { other: Buffer.from('two').toString('base64') };
    await volumes.refresh(pod, facts, signal);
    expect((await readdir(at)).filter((name) => !name.startsWith('..'))).toEqual(['other']);
    // As after a restart of the agent: nothing is mounted twice, and what the containers made stays.
    await open().prepare(pod, facts, signal);
    expect(await mounted()).toHaveLength(2);
    expect([(await stat(pathOf(plans, 'd'))).uid, await readFile(join(pathOf(plans, 'd'), 'mine'), 'utf8')]).toEqual([7, 'x']);
    await volumes.release('u', signal);
    expect([await mounted(), await readdir(join(root, 'pods/u'))]).toEqual([[], []]);
    // What is released stays so until the pod starts again.
    await volumes.refresh(pod, facts, signal);
    expect(await readdir(join(root, 'pods/u'))).toEqual([]);
    await volumes.remove('u', signal);
    expect(await readdir(join(root, 'pods'))).toEqual([]);
  });

  it('[edged-28.11] files belong to the fsGroup, a token to the one user of the pod and to nobody else', async () => {
    const pod = somePod({
      securityContext: { runAsUser: 1000, fsGroup: 4321 },
      volumes: [
        { name: 's', secret: { secretName: 's', defaultMode: 0o400 } },
        { name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        { name: 'd', emptyDir: {} },
        { name: 'm', emptyDir: { medium: 'Memory' } },
      ],
    });
    const volumes = open();
    const plans = await volumes.prepare(pod, facts, signal);
    const look = async (path: string): Promise<string> => `${await modeOf(path)} ${(await stat(path)).uid}:${(await stat(path)).gid}`;
    expect(await look(join(pathOf(plans, 's'), 'key'))).toBe('440 0:4321');
    expect(await look(join(pathOf(plans, 't'), 'token'))).toBe('640 1000:4321');
    expect([await look(pathOf(plans, 'd')), await look(pathOf(plans, 'm')), await look(pathOf(plans, 's'))]).toEqual(['2777 0:4321', '3777 0:4321', '2755 0:4321']);
    await volumes.release('u', signal);
    const without = await volumes.prepare(somePod({ securityContext: { runAsUser: 1000 }, volumes: pod.spec.volumes ?? [] }), facts, signal);
    expect([await look(join(pathOf(without, 't'), 'token')), await look(join(pathOf(without, 's'), 'key'))]).toEqual(['600 1000:0', '400 0:0']);
  });

  it('[edged-28.12] a local volume is bound below the pod, given to its group once, and its files survive the pod', async () => {
    const disk = join(root, 'disk');
    await mkdir(join(disk, 'dir'), { recursive: true });
    await writeFile(join(disk, 'dir/file'), 'kept', { mode: 0o600 });
    claimed.set('l', { metadata: { name: 'pv-1' }, spec: { local: { path: disk } } });
    const pod = somePod({ securityContext: { fsGroup: 77, fsGroupChangePolicy: 'OnRootMismatch' }, volumes: [{ name: 'l', persistentVolumeClaim: { claimName: 'x' } }] });
    const volumes = open();
    const [plan] = await volumes.prepare(pod, facts, signal);
    expect(plan?.path).toBe(join(root, 'pods/u/volumes/kubernetes.io~local-volume/pv-1'));
    expect([await modeOf(join(disk, 'dir/file')), (await stat(join(disk, 'dir/file'))).gid, await modeOf(disk)]).toEqual(['660', 77, '2775']);
    await chown(join(disk, 'dir/file'), 0, 0);
    await volumes.release('u', signal);
    await volumes.prepare(pod, facts, signal);
    expect((await stat(join(disk, 'dir/file'))).gid).toBe(0);
    await volumes.remove('u', signal);
    expect([await readFile(join(disk, 'dir/file'), 'utf8'), await readdir(join(root, 'pods'))]).toEqual(['kept', []]);
  });

  it('[edged-28.13] what is still in use is taken away all the same, and nothing is ever removed through a mount', async () => {
    const pod = somePod({ volumes: [{ name: 'm', emptyDir: { medium: 'Memory' } }, { name: 'd', emptyDir: {} }] });
    const volumes = open();
    const plans = await volumes.prepare(pod, facts, signal);
    const precious = join(root, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'file'), 'x');
    // Made by somebody else, for example by a container through mount propagation, and with a name that the kernel escapes.
    await mkdir(join(pathOf(plans, 'd'), 'with blank'));
    await mounter.mount({ source: precious, target: join(pathOf(plans, 'd'), 'with blank'), options: ['bind'] });
    const handle = await openFile(join(pathOf(plans, 'm'), 'held'), 'w');
    try {
      await volumes.remove('u', signal);
    } finally {
      await handle.close();
    }
    expect([await mounted(), await readdir(join(root, 'pods')), await readdir(precious)]).toEqual([[], [], ['file']]);
    // Files that somebody put where nothing was mounted are not the agent's to remove.
    const foreign = join(root, 'pods/w/volumes/kubernetes.io~nfs/x');
    await mkdir(foreign, { recursive: true });
    await writeFile(join(foreign, 'file'), 'x');
    await volumes.remove('w', signal);
    expect(await readFile(join(foreign, 'file'), 'utf8')).toBe('x');
  });
});

describe('sub paths', () => {
  const volumes = (): Volume[] => [{ name: 'd', emptyDir: {} }, { name: 's', secret: { secretName: 's' } }];

  it('[edged-28.14] are made like their volume, bound for the container, and keep the file of the container\'s start', async () => {
    const agent = open();
    const pod = somePod({ volumes: volumes() });
    const plans = await agent.prepare(pod, facts, signal);
    const start = () =>
      mountsOf(agent, plans, [
        { name: 'd', mountPath: '/a', subPathExpr: '$(WHO)/logs' },
        { name: 's', mountPath: '/k', subPath: 'key' },
      ], new Map([['WHO', 'me']]));
    const [a, key] = await start();
    expect([a?.hostPath, key?.hostPath, key?.readOnly]).toEqual([join(root, 'pods/u/volume-subpaths/d/c/0'), join(root, 'pods/u/volume-subpaths/s/c/1'), true]);
    await writeFile(join(a?.hostPath ?? '', 'file'), 'x');
    expect([await readFile(join(pathOf(plans, 'd'), 'me/logs/file'), 'utf8'), await modeOf(join(pathOf(plans, 'd'), 'me'))]).toEqual(['x', '777']);
    secret = { key: Buffer.from('two').toString('base64') };
    await agent.refresh(pod, facts, signal);
    expect(await readFile(key?.hostPath ?? '', 'utf8')).toBe('one');
    // The next start of the container gets the new file; what is the same is not bound twice.
    await start();
    expect(await readFile(key?.hostPath ?? '', 'utf8')).toBe('two');
    expect((await mounted()).filter((line) => line.includes('subpaths'))).toHaveLength(2);
    await expect(mountsOf(agent, plans, [{ name: 'd', mountPath: '/a', subPathExpr: '$(NOBODY)' }])).rejects.toMatchObject({ reason: 'CreateContainerConfigError', message: expect.stringContaining('NOBODY') as string });
    await agent.remove('u', signal);
    expect([await mounted(), await readdir(join(root, 'pods'))]).toEqual([[], []]);
  });

  it('[edged-28.15] do not leave the volume, neither through a link nor by an exchange at the last moment', async () => {
    const agent = open();
    const plans = await agent.prepare(somePod({ volumes: volumes() }), facts, signal);
    const at = pathOf(plans, 'd');
    const outside = join(root, 'outside');
    await mkdir(outside);
    await mkdir(join(at, 'real'));
    await symlink('real', join(at, 'inner'));
    await symlink(outside, join(at, 'out'));
    await symlink('/nowhere/at/all', join(at, 'dangling'));
    const mount = (subPath: string) => mountsOf(agent, plans, [{ name: 'd', mountPath: '/a', subPath }]);
    expect((await stat((await mount('inner'))[0]?.hostPath ?? '')).ino).toBe((await stat(join(at, 'real'))).ino);
    for (const bad of ['out', 'out/made', 'dangling', '../s', '/etc']) await expect(mount(bad)).rejects.toMatchObject({ code: 'edged.cannot-start' });
    expect(await readdir(outside)).toEqual([]);
    // Somebody in the pod swaps a directory and a link all the time: what gets bound is the directory or nothing.
    const race = join(at, 'race');
    const never = (): void => undefined;
    let swapping = true;
    const swap = (async () => {
      while (swapping) {
        await mkdir(race).catch(never);
        await rename(race, join(at, 'aside')).catch(never);
        await symlink(outside, race).catch(never);
        await unlink(race).catch(never);
        // The agent may make something in it at that moment.
        await rm(join(at, 'aside'), { recursive: true, force: true, maxRetries: 10 });
      }
    })();
    for (let round = 0; round < 60; round += 1) {
      const got = await mount('race/sub').catch(() => undefined);
      // What was bound may have been removed since; a file in it goes nowhere then.
      if (got) await writeFile(join(got[0]?.hostPath ?? '', `${round}`), '').catch((error: unknown) => expect(errorCode(error)).toBe('ENOENT'));
    }
    swapping = false;
    await swap;
    expect(await readdir(outside)).toEqual([]);
    expect((await stat((await mount('race/sub'))[0]?.hostPath ?? '')).ino).toBe((await stat(join(race, 'sub'))).ino);
  });
});

describe('mounts of a container', () => {
  it('[edged-28.16] recursively read-only ones need a runtime that can, propagation a shared mount; the message says so', async () => {
    const agent = open();
    const host = join(root, 'host');
    await mkdir(host);
    const plans = await agent.prepare(somePod({ volumes: [{ name: 'h', hostPath: { path: host } }] }), facts, signal);
    const mount = (more: object) => mountsOf(agent, plans, [{ name: 'h', mountPath: '/h', ...more }]);
    const recursive = (recursiveReadOnly: 'IfPossible' | 'Enabled') => mount({ readOnly: true, recursiveReadOnly });
    expect((await recursive('IfPossible'))[0]?.recursiveReadOnly).toBeUndefined();
    await expect(recursive('Enabled')).rejects.toMatchObject({ reason: 'CreateContainerConfigError' });
    handlerCan = true;
    expect((await recursive('IfPossible'))[0]?.recursiveReadOnly).toBe(true);
    expect((await recursive('Enabled'))[0]?.recursiveReadOnly).toBe(true);
    await mounter.mount({ source: 'tmpfs', target: host, type: 'tmpfs', options: [] });
    spawnSync('mount', ['--make-private', host]);
    await expect(mount({ mountPropagation: 'Bidirectional' })).rejects.toThrow(`run "mount --make-rshared ${host}"`);
    expect(spawnSync('mount', ['--make-shared', host]).status).toBe(0);
    expect((await mount({ mountPropagation: 'Bidirectional' }))[0]?.propagation).toBe('bidirectional');
    expect((await mount({ mountPropagation: 'HostToContainer' }))[0]?.propagation).toBe('hostToContainer');
  });

  it('[edged-28.18] a path of the host is what the pod expects there, made where it may be made', async () => {
    const agent = open();
    const prepare = (path: string, type?: string) => agent.prepare(somePod({ volumes: [{ name: 'h', hostPath: { path, ...(type === undefined ? {} : { type }) } }] }), facts, signal);
    const directory = join(root, 'made/deep');
    const file = join(root, 'made/file');
    const socket = join(root, 'sock');
    await prepare(directory, 'DirectoryOrCreate');
    await prepare(file, 'FileOrCreate');
    expect([await modeOf(directory), await modeOf(file)]).toEqual(['755', '644']);
    await using server = createServer().listen(socket);
    await once(server, 'listening');
    const right = { Directory: directory, DirectoryOrCreate: directory, File: file, FileOrCreate: file, Socket: socket, CharDevice: '/dev/null' };
    for (const [type, path] of Object.entries(right)) {
      await prepare(path, type);
      const wrong = Object.values(right).filter((other) => other !== path);
      for (const other of wrong) await expect(prepare(other, type)).rejects.toThrow(`${other} is not of type ${type}`);
    }
    for (const type of ['Directory', 'File', 'Socket', 'CharDevice', 'BlockDevice']) await expect(prepare(join(root, 'absent'), type)).rejects.toThrow('does not exist');
    await expect(prepare(join(root, 'no/parent'), 'FileOrCreate')).rejects.toThrow('ENOENT');
    await expect(prepare(file, 'Pipe')).rejects.toThrow('no host path type "Pipe"');
    await prepare(join(root, 'absent'));
    await prepare(join(root, 'absent'), '');
  });

  it('[edged-28.17] a volume that cannot be mounted is named with what the system said', async () => {
    const agent = open();
    const pod = somePod({ volumes: [{ name: 'n', nfs: { server: '127.0.0.1', path: '/x' } }] });
    await expect(agent.prepare(pod, facts, signal)).rejects.toMatchObject({ code: 'edged.mount', message: expect.stringContaining('127.0.0.1:/x') as string });
    await agent.remove('u', signal);
    expect(await lstat(join(root, 'pods/u')).catch(() => 'gone')).toBe('gone');
  });
});
