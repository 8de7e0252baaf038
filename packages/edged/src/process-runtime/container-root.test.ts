import { describe, expect, it } from 'vitest';
import { insideMount, planRoot } from './container-root.js';

const directories: Record<string, string[]> = { '/host/a': ['x', 'y', 'deep'], '/host/a/deep': ['p', 'q'], '/host/all': ['bin', 'etc'] };
const list = async (path: string): Promise<string[]> => directories[path] ?? [];
const mount = (containerPath: string, hostPath: string): { containerPath: string; hostPath: string } => ({ containerPath, hostPath });
const plan = async (...mounts: { containerPath: string; hostPath: string }[]): Promise<string[]> =>
  (await planRoot(mounts, list)).map((step) => (step.make === 'directory' ? `${step.path}/` : `${step.path} -> ${step.target}`));

describe('the root directory of a container', () => {
  it('[edged-process-root-1] has a link at the path of each mount, in real directories', async () => {
    expect(await plan(mount('/etc/config', '/host/a'), mount('/etc/secret/key', '/host/key'))).toEqual(['/etc/', '/etc/config -> /host/a', '/etc/secret/', '/etc/secret/key -> /host/key']);
  });

  it('[edged-process-root-2] makes a mount with another one inside a directory of links', async () => {
    expect(await plan(mount('/data/y', '/host/b'), mount('/data', '/host/a'))).toEqual(['/data/', '/data/x -> /host/a/x', '/data/deep -> /host/a/deep', '/data/y -> /host/b']);
  });

  it('[edged-process-root-3] keeps what lies beside a mount deep inside another', async () => {
    expect(await plan(mount('/data', '/host/a'), mount('/data/deep/q', '/host/b'))).toEqual([
      '/data/',
      '/data/x -> /host/a/x',
      '/data/y -> /host/a/y',
      '/data/deep/',
      '/data/deep/p -> /host/a/deep/p',
      '/data/deep/q -> /host/b',
    ]);
  });

  it('[edged-process-root-4] a path cannot lead out of it, and the last of equal paths counts', async () => {
    expect(await plan(mount('../../etc/x', '/host/1'), mount('/etc//x/', '/host/2'))).toEqual(['/etc/', '/etc/x -> /host/2']);
  });

  it('[edged-process-root-5] a mount of everything is a directory of links', async () => {
    expect(await plan(mount('/', '/host/all'))).toEqual(['/bin -> /host/all/bin', '/etc -> /host/all/etc']);
  });

  it('[edged-process-root-6] knows which paths lie in a mount', () => {
    const mounts = [mount('/data', '/host/a')];
    expect(['/data', '/data/', '/data/x', '/database', '/'].map((path) => insideMount(path, mounts))).toEqual([true, true, true, false, false]);
  });
});
