import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startMinicloud } from '@edge/minicloud';
import type { KubeNode } from '@edge/protocol';
import { startContainerd, type Containerd } from '@edge/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentConfig } from '../../packages/cli/src/dev/agent-config.js';
import { eventually } from '../../packages/cli/test/support/agent.js';
import { archive } from './archive.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const NAME = 'localhost/edge/edgecore:test';

interface ImageSettings {
  readonly config: { readonly Entrypoint: readonly string[]; readonly Env: readonly string[] };
}

let folder = '';
let containerd: Containerd;
let snapshotter = '';
let settings: ImageSettings;

/** A file of the image's layout. */
async function layoutFile<T>(path: string): Promise<T> {
  return JSON.parse((await run('tar', ['-xOf', join(folder, 'image.tar'), `./${path}`], { maxBuffer: 2 ** 24 })).stdout) as T;
}

const blob = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-image-test-'));
  const made = run(process.execPath, [join(root, 'tools', 'image.mjs'), '--no-compress', '--name', NAME, '--out', join(folder, 'image.tar')]);
  [containerd] = await Promise.all([startContainerd(), made]);
  snapshotter = /snapshotter = "(\w+)"/.exec(readFileSync(join(containerd.folder, 'config.toml'), 'utf8'))?.[1] ?? '';
  await containerd.ctr('images', 'import', '--snapshotter', snapshotter, join(folder, 'image.tar'));
  const index = await layoutFile<{ manifests: { digest: string }[] }>('index.json');
  const manifest = await layoutFile<{ config: { digest: string } }>(blob(index.manifests[0]?.digest ?? ''));
  settings = await layoutFile<ImageSettings>(blob(manifest.config.digest));
}, 300_000);

afterAll(async () => {
  await containerd?.[Symbol.asyncDispose]();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** The words of `ctr run` for a container on the network of this machine. */
function container(name: string, ...more: readonly string[]): string[] {
  return ['-a', containerd.socket, '-n', 'k8s.io', 'run', '--rm', '--net-host', '--snapshotter', snapshotter, '--cgroup', `${containerd.cgroupRoot}/${name}`, '--runc-root', join(containerd.folder, 'runc'), ...more];
}

describe('container image', () => {
  it('[image-1.1] containerd takes it in, and the program in it answers by its short name', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'packages', 'cli', 'package.json'), 'utf8')) as { version: string };
    expect((await run('ctr', [...container('version'), NAME, 'version', 'edgecore', '--version'])).stdout).toContain(`@edge/cli ${version}, Node.js ${process.versions.node}`);
  });

  it('[image-1.2] its entry point runs the agent with the flags of the service; the node becomes Ready and the agent stops when it is told to', async () => {
    expect(settings.config.Entrypoint).toContain('--max-semi-space-size=1');
    expect(settings.config.Env).toContain('MALLOC_MMAP_THRESHOLD_=32768');
    const data = join(folder, 'data');
    mkdirSync(data);
    await using cloud = await startMinicloud({ dataDir: join(folder, 'cloud') });
    writeFileSync(join(data, 'edgecore.yaml'), agentConfig({ data: '/data', node: 'in-a-container', runtime: 'process', hubAddress: cloud.hubAddress, httpsUrl: `https://${cloud.httpsAddress}`, kubeletPort: 0, token: cloud.token() }));
    const command = [...settings.config.Entrypoint, '--config', '/data/edgecore.yaml'];
    const child = spawn('ctr', [...container('agent', '--env', 'CHECK_EDGECORE_ENVIRONMENT=false', '--mount', `type=bind,src=${data},dst=/data,options=rbind:rw`), NAME, 'agent', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
    const gone = once(child, 'exit');
    try {
      const nodes = cloud.api.resource<KubeNode>('v1', 'nodes');
      await eventually(() => child.exitCode !== null || nodes.find('in-a-container')?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true, 120_000, () => `the node is not Ready; its agent said:\n${said.slice(-4000)}`);
      expect(child.exitCode, said).toBe(null);
    } finally {
      await containerd.ctr('tasks', 'kill', '--signal', 'SIGTERM', 'agent').catch(() => child.kill('SIGKILL'));
    }
    expect(await gone).toEqual([0, null]);
  });

  it('[image-1.3] archives of the same files are the same, whenever they were written', () => {
    for (const [name, time] of [['one', 1_000_000_000], ['other', 1_700_000_000]] as const) {
      mkdirSync(join(folder, name, 'b'), { recursive: true });
      writeFileSync(join(folder, name, 'b', 'file'), 'text');
      writeFileSync(join(folder, name, 'a'), 'text');
      utimesSync(join(folder, name, 'a'), time, time);
      archive(join(folder, name), join(folder, `${name}.tar`));
    }
    expect(readFileSync(join(folder, 'one.tar')).equals(readFileSync(join(folder, 'other.tar')))).toBe(true);
  });
});
