import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigMap, Volume } from '@edge/protocol';
import { somePod } from './plan-kit.js';
import { prepareSubPath } from '../src/volumes/sub-paths.js';
import { writePayload } from '../src/volumes/atomic-writer.js';
import { volumePayload, type Payload } from '../src/volumes/payload.js';
import { planMounts } from '../src/volumes/plan-mounts.js';
import { planVolumes, type VolumePlan } from '../src/volumes/plan-volumes.js';

const facts = { nodeName: 'n', hostIPs: [], podIPs: [], allocatable: {} };
const config: ConfigMap = { metadata: {}, data: { a: '1', b: '2' }, binaryData: { raw: Buffer.from([0, 255]).toString('base64') } };
const payload = (volume: Omit<Volume, 'name'>, tokens?: ReadonlyMap<string, string>): Payload | undefined =>
  volumePayload({ pod: somePod({}, {}, { labels: { app: 'web', q: 'a"b' } }), volume: { name: 'v', ...volume }, objects: new Map([['configmap/cm', config]]), facts, ...(tokens ? { tokens } : {}) });
const shown = (given: Payload | undefined): Record<string, string> =>
  Object.fromEntries([...(given ?? [])].map(([path, { data, mode }]) => [path, `${mode.toString(8)} ${Buffer.from(data).toString('latin1')}`]));

describe('volumePayload', () => {
  it('[edged-11.1] all keys, or those that are named with their paths and modes', () => {
    expect(shown(payload({ configMap: { name: 'cm' } }))).toEqual({ a: '644 1', b: '644 2', raw: '644 \u0000\u00ff' });
    const items = [{ key: 'a', path: 'dir/x', mode: 0o600 }];
    expect(shown(payload({ configMap: { name: 'cm', items, defaultMode: 0o400 } }))).toEqual({ 'dir/x': '600 1' });
  });

  it('[edged-11.2] what is missing is an error unless it is optional', () => {
    expect(() => payload({ configMap: { name: 'none' } })).toThrow('volume "v": configmap "none" not found');
    expect(shown(payload({ configMap: { name: 'none', optional: true } }))).toEqual({});
    expect(() => payload({ configMap: { name: 'cm', items: [{ key: 'z', path: 'z' }] } })).toThrow('has no key "z"');
  });

  it.each(['../up', '/abs', 'a/../b', '..hidden', 'a//b', ''])('[edged-11.3] refuses the path "%s", which could leave the volume', (path) => {
    expect(() => payload({ configMap: { name: 'cm', items: [{ key: 'a', path }] } })).toThrow('is not allowed in a volume');
  });

  it('[edged-11.4] a projected volume joins its sources, with the token of the service account', () => {
    const sources = [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
      { configMap: { name: 'cm', items: [{ key: 'a', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }, { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ];
    expect(shown(payload({ projected: { sources } }, new Map([['token', 'jwt']])))).toEqual({
      token: '644 jwt',
      'ca.crt': '644 1',
      namespace: '644 ns',
      labels: '644 app="web"\nq="a\\"b"',
    });
  });
});

describe('volumes on disk', () => {
  let volume: string;
  beforeEach(async () => {
    volume = join(await mkdtemp(join(tmpdir(), 'edged-volume-')), 'v');
  });
  afterEach(() => rm(join(volume, '..'), { recursive: true, force: true }));
  const files = (parts: Record<string, string>): Payload => new Map(Object.entries(parts).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o640 }]));

  it('[edged-11.5] are swapped as a whole: readers of one generation never see the other', async () => {
    expect(await writePayload(volume, files({ a: '1', 'dir/b': '2' }))).toBe(true);
    const first = await readlink(join(volume, '..data'));
    expect(await readFile(join(volume, 'dir/b'), 'utf8')).toBe('2');
    expect(await readlink(join(volume, 'dir'))).toBe('..data/dir');
    expect((await stat(join(volume, 'a'))).mode & 0o777).toBe(0o640);
    expect(await writePayload(volume, files({ a: '1', 'dir/b': '2' }))).toBe(false);
    expect(await readlink(join(volume, '..data'))).toBe(first);
    expect(await writePayload(volume, files({ a: '9' }))).toBe(true);
    expect((await readdir(volume)).filter((name) => !name.startsWith('..'))).toEqual(['a']);
    expect(await readFile(join(volume, 'a'), 'utf8')).toBe('9');
    expect((await readdir(volume)).length).toBe(3);
  });

  it('[edged-11.6] a crash half-way is cleaned up by the next write', async () => {
    await writePayload(volume, files({ a: '1' }));
    await mkdir(join(volume, '..2020_01_01_00_00_00.dead'));
    await writeFile(join(volume, '..data_tmp'), 'left over');
    await rm(join(volume, 'a'));
    expect(await writePayload(volume, files({ a: '1' }))).toBe(false);
    expect(await readFile(join(volume, 'a'), 'utf8')).toBe('1');
    expect(await writePayload(volume, files({ a: '2' }))).toBe(true);
    expect((await readdir(volume)).length).toBe(3);
  });

  it('[edged-11.7] have upstream\'s layout; a kind that cannot be provided is named', () => {
    const paths = planVolumes('/r', somePod({ volumes: [{ name: 'e', emptyDir: {} }, { name: 'c', configMap: { name: 'x' } }, { name: 'h', hostPath: { path: '/dev' } }] }));
    expect(paths.map(({ path }) => path)).toEqual(['/r/pods/u/volumes/kubernetes.io~empty-dir/e', '/r/pods/u/volumes/kubernetes.io~configmap/c', '/dev']);
    expect(() => planVolumes('/r', somePod({ volumes: [{ name: 'n', glusterfs: {} }] }))).toThrow('cannot provide volumes of kind glusterfs');
    const mount = (subPath: string) => planMounts({ name: 'c', volumeMounts: [{ name: 'e', mountPath: '/m', subPath, readOnly: true }] }, paths, new Map());
    expect(mount('x//./y')).toMatchObject([{ containerPath: '/m', subPath: 'x/y', readOnly: true }]);
    expect(() => mount('../../other')).toThrow('would leave volume "e"');
  });

  it('[edged-11.8] a subPath is made when it is missing, and must not leave the volume through a link', async () => {
    await mkdir(volume);
    const plan: VolumePlan = { name: 'v', path: volume, readOnly: false, grouped: true, source: { kind: 'emptyDir', medium: '' } };
    const prepare = (subPath: string) => prepareSubPath({ volume: plan, index: 0, containerPath: '/m', subPath, readOnly: false, recursiveReadOnly: 'no' }, '/nowhere', undefined);
    await prepare('a/b');
    expect((await stat(join(volume, 'a/b'))).isDirectory()).toBe(true);
    await symlink('/tmp', join(volume, 'out'));
    await expect(prepare('out')).rejects.toThrow('leads out of volume "v"');
    await expect(prepare(`out/edged-${process.pid}/x`)).rejects.toThrow('leads out of volume "v"');
    await expect(stat(`/tmp/edged-${process.pid}`)).rejects.toThrow('ENOENT');
  });
});
