import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXPECTED, Kubectl, kubectls } from './kubectls.js';
import { eventually, Scene } from './scene.js';

const programs = await kubectls();
const UNREACHED = 'changes are made in the cloud: the node is not connected to the cloud';

it('[metaserver-10.0] an old and a newer kubectl are required where CI is set', () => {
  if (process.env['CI'] === undefined || process.env['KUBECTL'] !== undefined) return;
  const missing = EXPECTED.filter((name) => !programs.some((program) => program.name === name));
  if (missing.length > 0) throw new Error(`${missing.join(' and ')} are not there: run tools/kubectls.sh, these tests need the real ones`);
});

describe.each(programs)('a stock $name', ({ name: program, path }) => {
  let scene: Scene;
  let kubectl: Kubectl;
  const say = (...args: string[]): Promise<string> => kubectl.run(args);
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(kubectl.home, name), text);
    return join(kubectl.home, name);
  };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const inCloud = (apiVersion: string, plural: string, name: string): Promise<any> => scene.cloud.api.resource(apiVersion, plural).get(name, 'default');

  beforeAll(async () => {
    scene = await Scene.open({ connected: true });
    kubectl = await Kubectl.open(path, () => `http://127.0.0.1:${scene.port}`);
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await Promise.all([
      scene.inCloud('v1', 'pods', { metadata: { name: 'web', labels: { app: 'web' } }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } }),
      scene.inCloud('v1', 'configmaps', { metadata: { name: 'settings' }, data: { a: '1' } }),
      scene.inCloud('v1', 'services', { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] } }),
      scene.inCloud('apps/v1', 'deployments', { metadata: { name: 'web' }, spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template } }),
    ]);
  });
  afterAll(async () => {
    await scene[Symbol.asyncDispose]();
    await kubectl[Symbol.asyncDispose]();
  });

  it('[metaserver-10.1] reads in all its forms while the cloud is there', async () => {
    expect(await say('get', 'pods')).toMatch(/NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\nweb\s+0\/1\s+Pending/);
    expect((await say('get', 'pods,svc,deploy', '-o', 'wide')).split('\n')[0]).toMatch(/NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/);
    expect(await say('get', 'cm', 'settings', '-o', 'jsonpath={.data.a}')).toBe('1');
    expect(await say('get', 'cm', 'settings', '-o', 'yaml')).toMatch(/^apiVersion: v1\ndata:\n {2}a: "1"\nkind: ConfigMap\n/);
    expect(JSON.parse(await say('get', 'pods,cm', '-o', 'json'))).toMatchObject({ kind: 'List', items: [{ kind: 'Pod' }, { kind: 'ConfigMap' }] });
    expect(await say('get', 'pods', '-A', '--no-headers', '-o', 'custom-columns=N:.metadata.name,NODE:.spec.nodeName', '--field-selector', 'spec.nodeName=n1')).toMatch(/^web +n1\n$/);
    expect(await say('get', 'pods', '-l', 'app in (web)', '-o', 'name', '--chunk-size=1')).toBe('pod/web\n');
    expect(await say('describe', 'pod', 'web')).toMatch(/Name:\s+web/);
    expect(await say('describe', 'svc', 'web')).toMatch(/Port:\s+http {2}80\/TCP/);
    expect(await say('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(await say('api-versions')).toContain('apps/v1\n');
    // Old ones read it from a document that is not served for its size.
    if (program === 'kubectl-trixie') expect(await say('explain', 'pods')).toMatch(/KIND: +Pod/);
    expect(JSON.parse(await say('version', '-o', 'json'))).toHaveProperty('serverVersion.gitVersion');
    expect(await say('get', '--raw', '/readyz')).toBe('ok');
    expect(await kubectl.complaint(['get', 'configmap', 'nope'])).toContain('Error from server (NotFound): configmaps "nope" not found');
    expect(await kubectl.complaint(['get', 'nonsense'])).toContain('the server doesn\'t have a resource type "nonsense"');
  });

  it('[metaserver-10.3] creates, applies, edits, patches, scales and deletes, with the versions that it read here', async () => {
    const map = (a: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\ndata: {a: "${a}"}\n`;
    await say('create', 'configmap', 'made', '--from-literal=x=1');
    expect(await say('apply', '-f', await file('a.yaml', map('1')))).toBe('configmap/applied created\n');
    expect(await say('apply', '-f', await file('a.yaml', map('1')))).toBe('configmap/applied unchanged\n');
    expect(await say('apply', '-f', await file('a.yaml', map('2')))).toBe('configmap/applied configured\n');
    expect(await say('apply', '--server-side', '-f', await file('s.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: side}\ndata: {x: z}\n'))).toBe('configmap/side serverside-applied\n');
    expect(await inCloud('v1', 'configmaps', 'side')).toMatchObject({ data: { x: 'z' } });
    await say('label', 'configmap', 'made', 'tier=edge');
    await say('annotate', 'configmap', 'made', 'note=yes');
    await say('patch', 'configmap', 'made', '-p', '{"data":{"y":"2"}}');
    await say('patch', 'configmap', 'made', '--type=merge', '-p', '{"data":{"x":null}}');
    await say('patch', 'configmap', 'made', '--type=json', '-p', '[{"op":"add","path":"/data/z","value":"3"}]');
    expect(await kubectl.run(['edit', 'configmap', 'made'], { KUBE_EDITOR: 'sed -i s/tier:.edge/tier:\\ far/' })).toBe('configmap/made edited\n');
    const changed = { metadata: { labels: { tier: 'far' }, annotations: { note: 'yes' } }, data: { y: '2', z: '3' } };
    expect(await inCloud('v1', 'configmaps', 'made')).toMatchObject(changed);
    expect((await inCloud('v1', 'configmaps', 'made')).data).not.toHaveProperty('x');
    const read = JSON.parse(await say('get', 'configmap', 'made', '-o', 'json')) as { data: Record<string, string> };
    await say('replace', '-f', await file('r.json', JSON.stringify({ ...read, data: { only: 'this' } })));
    expect((await inCloud('v1', 'configmaps', 'made')).data).toEqual({ only: 'this' });
    expect(await kubectl.complaint(['replace', '-f', join(kubectl.home, 'r.json')])).toContain('(Conflict)');
    expect(await say('scale', 'deployment/web', '--replicas=3')).toContain('scaled');
    expect((await inCloud('apps/v1', 'deployments', 'web')).spec.replicas).toBe(3);
    expect(await say('delete', 'configmap', 'made', 'applied', 'side')).toBe('configmap "made" deleted\nconfigmap "applied" deleted\nconfigmap "side" deleted\n');
    expect(await say('get', 'configmap', '-o', 'name')).toBe('configmap/settings\n');
  });

  it('[metaserver-10.4] waits and watches, over a cut of the link and a restart of the cloud', async () => {
    const watching = spawn(path, kubectl.args('get', 'configmaps', '-w', '--no-headers', '-o', 'name'), { env: kubectl.environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => watching.on('close', resolve));
    let seen = '';
    watching.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString('utf8')));
    try {
      await eventually(() => seen.includes('configmap/settings\n') && scene.cloud.listeners.size > 0, 60_000);
      await scene.inCloud('v1', 'configmaps', { metadata: { name: 'first' } });
      await eventually(() => seen.includes('configmap/first\n'), 60_000);
      scene.disconnect();
      scene.cloud.forget();
      await scene.inCloud('v1', 'configmaps', { metadata: { name: 'second' } });
      scene.connect();
      await eventually(() => seen.includes('configmap/second\n'), 60_000);
    } finally {
      watching.kill();
      await ended;
    }
    expect(seen).toBe('configmap/settings\nconfigmap/first\nconfigmap/second\n');
    const maps = scene.cloud.api.resource('v1', 'configmaps');
    await scene.inCloud('v1', 'configmaps', { metadata: { name: 'held', finalizers: ['example.com/hold'] } });
    const gone = say('delete', 'configmap', 'held', '--timeout=60s');
    await eventually(() => maps.find('held', 'default')?.metadata.deletionTimestamp !== undefined, 60_000);
    await maps.modify('held', 'default', (copy) => { delete copy.metadata.finalizers; });
    expect(await gone).toBe('configmap "held" deleted\n');
    const ready = say('wait', '--for=condition=Ready', 'pod/web', '--timeout=60s');
    await scene.cloud.api.resource('v1', 'pods').modify('web', 'default', (copy) => { copy['status'] = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }; }, { subresource: 'status' });
    expect(await ready).toBe('pod/web condition met\n');
  });

  it('[metaserver-10.2] works on while the cloud is away, with a warning, and without what it kept itself; changes are refused with the reason and at once', async () => {
    await say('get', 'all');
    scene.disconnect();
    // Another home: discovery comes from the node.
    await using fresh = await Kubectl.open(path, () => `http://127.0.0.1:${scene.port}`);
    expect(await fresh.run(['get', 'pods', '-l', 'app=web', '-o', 'name'])).toBe('pod/web\n');
    expect(await fresh.run(['get', 'pods', '--all-namespaces', '--field-selector', 'spec.nodeName=n1'])).toContain('web');
    expect(await fresh.run(['describe', 'pod', 'web'])).toMatch(/Name:\s+web/);
    expect(await fresh.run(['get', 'all'])).toContain('deployment.apps/web');
    expect(await fresh.run(['version', '-o', 'json'])).toContain('serverVersion');
    expect(await fresh.complaint(['get', 'cm', 'settings'])).toContain('Warning: from the node\'s own store, it may be out of date: the node is not connected to the cloud');
    const map = await file('m.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: "2"}\n');
    for (const change of [
      ['delete', 'configmap', 'settings'], ['create', 'configmap', 'new'], ['apply', '-f', map], ['replace', '-f', map], ['label', 'cm', 'settings', 'a=b'],
      ['patch', 'cm', 'settings', '-p', '{"data":{}}'], ['scale', 'deploy/web', '--replicas=1'],
    ]) expect(await fresh.complaint(change), change.join(' ')).toContain(UNREACHED);
  });
});
