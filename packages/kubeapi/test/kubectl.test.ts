import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GarbageCollector, type KubeObject } from '../src/index.js';
import { TestServer } from './helpers.js';

const run = promisify(execFile);
/** Another kubectl than the one on PATH can be named, to try several versions. */
const KUBECTL = process.env['KUBECTL'] ?? 'kubectl';
const isThere = await run(KUBECTL, ['version', '--client']).then(() => true, () => false);

const HELLO = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "web:1", env: [{name: A, value: "1"}], ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1", b: "2"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, name: http}]}
`;
const DEFINITION = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}, {name: Age, type: date, jsonPath: .metadata.creationTimestamp}]
`;

describe('the presence of kubectl', () => {
  it('[kubeapi-10.0] is required where CI is set', () => {
    if (process.env['CI'] !== undefined && !isThere) throw new Error('kubectl is not on PATH: install it (Debian: kubernetes-client), these tests need the real one');
  });
});

describe.runIf(isThere)('a stock kubectl', () => {
  let server: TestServer;
  let collector: GarbageCollector;
  let folder: string;
  let environment: NodeJS.ProcessEnv;

  const kubectl = async (...args: string[]): Promise<string> => (await run(KUBECTL, args, { env: environment, timeout: 20_000 })).stdout;
  const fails = async (...args: string[]): Promise<string> => run(KUBECTL, args, { env: environment, timeout: 20_000 }).then(() => 'no failure', (error: { stderr: string }) => error.stderr);
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const deployment = async (): Promise<KubeObject> => server.api.resource('apps/v1', 'deployments').get('web', 'default');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubeapi-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=kubeapi', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]);
    // kubectl sends a token over TLS only.
    server = await TestServer.start({
      tls: { key: await readFile(key), cert: await readFile(cert) },
      authenticate: (request) => (request.headers.authorization === 'Bearer t0ken' ? { name: 'admin', groups: [] } : undefined),
    }, [], undefined, true);
    collector = new GarbageCollector({ api: server.api });
    collector.start();
    const config = await file('config', `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "${server.url}", certificate-authority: "${cert}"}}]
users: [{name: u, user: {token: t0ken}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
`);
    environment = { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: config };
  });
  afterAll(async () => {
    await collector.stop();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
    expect(server.errors).toEqual([]);
  });

  it('[kubeapi-10.1] applies, applies again without a change, and applies a change three ways', async () => {
    expect(await kubectl('apply', '-f', await file('hello.yaml', HELLO))).toBe('deployment.apps/web created\nconfigmap/settings created\nservice/web created\n');
    expect(await kubectl('apply', '-f', join(folder, 'hello.yaml'))).toBe('deployment.apps/web unchanged\nconfigmap/settings unchanged\nservice/web unchanged\n');
    const changed = HELLO.replace('web:1', 'web:2').replace('{name: A, value: "1"}', '{name: B, value: "2"}').replace('a: "1", ', '');
    expect(await kubectl('apply', '-f', await file('changed.yaml', changed))).toContain('deployment.apps/web configured\nconfigmap/settings configured');
    expect(await deployment()).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'c', image: 'web:2', env: [{ name: 'B', value: '2' }] }] } } } });
    expect((await server.api.resource('v1', 'configmaps').get('settings', 'default')).data).toEqual({ b: '2' });
    expect(await kubectl('apply', '--server-side', '--force-conflicts', '-f', await file('side.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: side}\ndata: {x: z}\n'))).toBe('configmap/side serverside-applied\n');
  });

  it('[kubeapi-10.2] scales, labels, annotates, patches and edits', async () => {
    await kubectl('scale', 'deployment/web', '--replicas=4');
    await kubectl('label', 'deploy', 'web', 'tier=front');
    await kubectl('annotate', 'deploy', 'web', 'note=yes');
    await kubectl('patch', 'deploy', 'web', '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"c","imagePullPolicy":"Never"}]}}}}');
    await kubectl('patch', 'deploy', 'web', '--type=json', '-p', '[{"op":"replace","path":"/spec/replicas","value":5}]');
    environment['KUBE_EDITOR'] = 'sed -i s/web:2/web:3/';
    expect(await kubectl('edit', 'deploy', 'web')).toBe('deployment.apps/web edited\n');
    expect(await deployment()).toMatchObject({
      metadata: { labels: { tier: 'front' }, annotations: { note: 'yes' } },
      spec: { replicas: 5, template: { spec: { containers: [{ image: 'web:3', imagePullPolicy: 'Never' }] } } },
    });
  });

  it('[kubeapi-10.3] prints its usual tables, other formats, and descriptions', async () => {
    expect((await kubectl('get', 'deploy,svc,cm', '-o', 'wide')).split('\n')[0]).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR/);
    expect(await kubectl('get', 'all')).toContain('service/web');
    expect(await kubectl('get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('5');
    expect(await kubectl('get', 'cm', '-o', 'name', '-l', 'app!=x')).toContain('configmap/settings');
    expect(await kubectl('get', 'cm', '--field-selector', 'metadata.name=side', '-o', 'custom-columns=N:.metadata.name', '--no-headers')).toBe('side\n');
    expect(await kubectl('get', 'cm', '--chunk-size=1', '-A', '-o', 'name')).toContain('configmap/side');
    expect(await kubectl('describe', 'deploy', 'web')).toMatch(/Replicas: +5 desired/);
    expect(await kubectl('describe', 'svc', 'web')).toMatch(/Port: +http/);
    expect(await kubectl('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(await fails('get', 'pod', 'nope')).toContain('Error from server (NotFound): pods "nope" not found');
    expect(await kubectl('version', '-o', 'json')).toContain('"serverVersion"');
  });

  it('[kubeapi-10.4] creates kinds by its own commands, whatever encoding it uses for them', async () => {
    await kubectl('create', 'configmap', 'made', '--from-literal=k=v');
    await kubectl('create', 'secret', 'generic', 'hidden', '--from-literal=k=v');
    await kubectl('create', 'namespace', 'other');
    await kubectl('create', 'deployment', 'two', '--image=img', '-n', 'other');
    await kubectl('create', 'serviceaccount', 'robot');
    await kubectl('create', 'job', 'once', '--image=img', '--', 'true');
    await kubectl('run', 'single', '--image=img', '-n', 'other', '--restart=Never');
    expect((await server.api.resource('v1', 'secrets').get('hidden', 'default')).data).toEqual({ k: 'dg==' });
    expect(await server.api.resource('apps/v1', 'deployments').get('two', 'other')).toMatchObject({ spec: { replicas: 1, strategy: { type: 'RollingUpdate' }, template: { spec: { containers: [{ image: 'img' }] } } } });
  });

  it('[kubeapi-10.5] watches, waits and deletes with grace', async () => {
    const pods = server.api.resource('v1', 'pods');
    await kubectl('apply', '-f', await file('pod.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: edge, containers: [{name: c, image: i}]}\n'));
    const watching = spawn(KUBECTL, ['get', 'pods', '-w', '--no-headers'], { env: environment });
    let seen = '';
    watching.stdout.on('data', (chunk: Buffer) => { seen += chunk.toString(); });
    for (let i = 0; i < 3000 && server.server.watches === 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    const waiting = kubectl('wait', '--for=condition=Ready', 'pod/p', '--timeout=60s');
    for (let i = 0; i < 3000 && server.server.watches < 2; i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await pods.modify('p', 'default', (p) => { p.status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [{ name: 'c', ready: true, restartCount: 0, state: { running: {} } }] }; }, { subresource: 'status' });
    expect(await waiting).toBe('pod/p condition met\n');
    const deleting = kubectl('delete', 'pod', 'p', '--grace-period=30');
    for (let i = 0; i < 3000 && pods.find('p', 'default')?.metadata.deletionTimestamp === undefined; i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    await pods.delete('p', 'default', { gracePeriodSeconds: 0 });
    expect(await deleting).toContain('pod "p" deleted');
    for (let i = 0; i < 3000 && !seen.includes('Terminating'); i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    watching.kill();
    expect(seen).toMatch(/p +0\/1 +Pending[^]*p +1\/1 +Running[^]*p +1\/1 +Terminating/);
  });

  it('[kubeapi-10.6] defines kinds of its own and works with them', async () => {
    await kubectl('apply', '-f', await file('crd.yaml', DEFINITION));
    await kubectl('wait', '--for=condition=established', 'crd/widgets.example.com', '--timeout=60s');
    const widget = 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 3}\n';
    expect(await kubectl('apply', '-f', await file('widget.yaml', widget))).toBe('widget.example.com/w created\n');
    expect(await kubectl('apply', '-f', await file('widget.yaml', widget.replace('3', '4')))).toBe('widget.example.com/w configured\n');
    expect(await kubectl('get', 'wd')).toMatch(/NAME +SIZE +AGE\nw +4 +\d+s/);
    expect(await fails('apply', '-f', await file('bad.yaml', widget.replace('3', 'large')))).toMatch(/size/);
    expect(await kubectl('delete', 'crd', 'widgets.example.com')).toContain('deleted');
    expect(await fails('get', 'widgets')).toMatch(/NotFound|doesn't have a resource type/);
  });

  it('[kubeapi-10.7] deletes by file, by selector, in foreground, and whole namespaces', async () => {
    expect(await kubectl('delete', '-f', join(folder, 'hello.yaml'))).toContain('service "web" deleted');
    expect(await kubectl('delete', 'cm', '--all')).toContain('"made" deleted');
    expect(await kubectl('delete', 'deploy', 'two', '-n', 'other', '--cascade=foreground')).toContain('deleted');
    expect(await server.api.resource('v1', 'namespaces').find('other')).toBeDefined();
    expect(await kubectl('delete', 'namespace', 'other', '--timeout=60s')).toContain('deleted');
    expect(server.api.resource('v1', 'pods').find('single', 'other')).toBeUndefined();
  });
});
