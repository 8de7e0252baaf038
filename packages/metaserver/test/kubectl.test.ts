import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './scene.js';

const run = promisify(execFile);
const KUBECTL = process.env['KUBECTL'] ?? 'kubectl';
const isThere = await run(KUBECTL, ['version', '--client']).then(() => true, () => false);

it('[metaserver-10.0] kubectl is required where CI is set', () => {
  if (process.env['CI'] !== undefined && !isThere) throw new Error('kubectl is not on PATH: install it (Debian: kubernetes-client), these tests need the real one');
});

describe.runIf(isThere)('a stock kubectl', () => {
  let scene: Scene;
  let home: string;
  const kubectl = async (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(KUBECTL, ['--server', `http://127.0.0.1:${scene.port}`, ...args], { env: { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: '/dev/null' }, timeout: 60_000 });
  const fails = (...args: string[]): Promise<string> => kubectl(...args).then(() => 'no failure', (error: { stderr: string }) => error.stderr);

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'metaserver-'));
    scene = await Scene.open({ connected: true });
    await scene.inCloud('v1', 'pods', { metadata: { name: 'web', labels: { app: 'web' } }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } });
    await scene.inCloud('v1', 'configmaps', { metadata: { name: 'settings' }, data: { a: '1' } });
  });
  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
  });

  it('[metaserver-10.1] gets, describes, creates, changes and deletes while the cloud is there', async () => {
    expect((await kubectl('get', 'pods')).stdout).toMatch(/NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\nweb\s+0\/1\s+Pending/);
    expect((await kubectl('get', 'cm', 'settings', '-o', 'jsonpath={.data.a}')).stdout).toBe('1');
    expect((await kubectl('describe', 'pod', 'web')).stdout).toMatch(/Name:\s+web/);
    await kubectl('create', 'configmap', 'made', '--from-literal=x=1');
    await kubectl('label', 'configmap', 'made', 'tier=edge');
    await kubectl('patch', 'configmap', 'made', '-p', '{"data":{"y":"2"}}');
    expect((await scene.cloud.api.resource('v1', 'configmaps').get('made', 'default'))).toMatchObject({ metadata: { labels: { tier: 'edge' } }, data: { x: '1', y: '2' } });
    expect((await kubectl('delete', 'configmap', 'made')).stdout).toContain('deleted');
    expect(await fails('get', 'configmap', 'made')).toContain('configmaps "made" not found');
    expect(await fails('get', 'nonsense')).toContain('the server doesn\'t have a resource type "nonsense"');
    expect((await kubectl('get', '--raw', '/readyz')).stdout).toBe('ok');
  });

  it('[metaserver-10.2] works on while the cloud is away, with a warning; changes are refused with the reason', async () => {
    await kubectl('get', 'all');
    scene.disconnect();
    expect((await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')).stdout).toBe('pod/web\n');
    expect((await kubectl('get', 'pods', '--all-namespaces', '--field-selector', 'spec.nodeName=n1')).stdout).toContain('web');
    expect((await kubectl('version', '-o', 'json')).stdout).toContain('serverVersion');
    expect(await fails('delete', 'configmap', 'settings')).toContain('changes are made in the cloud: the node is not connected to the cloud');
  });
});
