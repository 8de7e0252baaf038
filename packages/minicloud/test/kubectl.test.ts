import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CloudFixture, openCloud } from './cloud-fixture.js';
import { hasKubectl, kubectl, type KubectlResult } from './kubectl.js';
import { SimulatedNode } from './simulated-node.js';

let fixture: CloudFixture;
let node: SimulatedNode;
const run = (...args: string[]): Promise<KubectlResult> => kubectl(fixture.cloud.kubeconfigPath, args);
const apply = (...objects: object[]): Promise<KubectlResult> =>
  kubectl(fixture.cloud.kubeconfigPath, ['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
const good = async (result: Promise<KubectlResult>): Promise<string> => {
  const { code, stdout, stderr } = await result;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

const pod = (name: string): object => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'busybox:1' }] },
});
const deployment = (image: string, replicas = 2): object => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' },
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image, ports: [{ containerPort: 80, name: 'http' }] }] } } },
});

describe.skipIf(!hasKubectl())('a stock kubectl', () => {
  beforeAll(async () => {
    fixture = await openCloud();
    node = await SimulatedNode.join(fixture, 'e1');
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  it('[minicloud-5.1] finds in the kubeconfig all it needs, and nobody else may read it', async () => {
    expect((await stat(fixture.cloud.kubeconfigPath)).mode & 0o777).toBe(0o600);
    expect(await good(run('get', '--raw', '/healthz'))).toBe('ok');
    expect(await good(run('get', 'nodes'))).toMatch(/e1\s+Ready\s+agent,edge/);
    const config = parse(await readFile(fixture.cloud.kubeconfigPath, 'utf8')) as { users: { user: { token: string } }[] };
    config.users[0]!.user.token = 'wrong';
    const folder = await mkdtemp(join(tmpdir(), 'minicloud-'));
    const wrong = join(folder, 'kubeconfig');
    await writeFile(wrong, JSON.stringify(config));
    expect((await kubectl(wrong, ['get', 'pods'])).code).not.toBe(0);
    await rm(folder, { recursive: true });
  });

  it('[minicloud-5.2] applies, waits, describes and deletes a pod', async () => {
    expect(await good(apply(pod('p1')))).toContain('pod/p1 created');
    await good(run('wait', '--for=condition=Ready', 'pod/p1', '--timeout=120s'));
    expect(await good(run('get', 'pod', 'p1', '-o', 'wide'))).toMatch(/p1\s+1\/1\s+Running\s+0.*10\.88\.0\.\d+\s+e1/);
    expect(await good(apply(pod('p1')))).toContain('unchanged');
    const described = await good(run('describe', 'pod', 'p1'));
    expect(described).toMatch(/Node:\s+e1/);
    expect(described).toContain('Scheduled');
    await good(run('label', 'pod', 'p1', 'color=red'));
    await good(run('annotate', 'pod', 'p1', 'note=x'));
    expect(await good(run('get', 'pods', '-l', 'color=red', '-o', 'name'))).toBe('pod/p1\n');
    expect(await good(run('delete', 'pod', 'p1'))).toContain('deleted');
    expect((await run('get', 'pod', 'p1')).stderr).toContain('NotFound');
    expect(await good(run('describe', 'node', 'e1'))).toMatch(/Ready\s+True/);
  });

  it('[minicloud-5.3] watches while things change', async () => {
    let seen = '';
    await good(apply(pod('w0')));
    const watching = kubectl(fixture.cloud.kubeconfigPath, ['get', 'pods', '-w'], {
      onOutput: (text, stop) => {
        seen = text;
        if (/^w1 .*Terminating/m.test(text)) stop();
      },
    });
    // What happens after the list that it begins with is told, also what comes before it asks for more.
    await node.client.until(() => seen.includes('w0'));
    await good(apply(pod('w1')));
    await node.client.until(() => /^w1 .*Running/m.test(seen));
    await good(run('delete', 'pod', 'w1'));
    await watching;
    await good(run('delete', 'pod', 'w0'));
    expect(seen).toMatch(/w1\s+0\/1\s+Pending[\s\S]*w1\s+1\/1\s+Running[\s\S]*w1\s+\d\/1\s+Terminating/);
  });

  it('[minicloud-5.4] edits with an editor', async () => {
    await good(apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm' }, data: { hello: 'world' } }));
    const env = { EDITOR: 'sed -i s/world/moon/', KUBE_EDITOR: 'sed -i s/world/moon/' };
    const edited = await kubectl(fixture.cloud.kubeconfigPath, ['edit', 'configmap', 'cm'], { env });
    expect(edited.stdout).toContain('edited');
    expect(await good(run('get', 'configmap', 'cm', '-o', 'jsonpath={.data.hello}'))).toBe('moon');
    await good(run('create', 'secret', 'generic', 's', '--from-literal=pw=x'));
    await good(run('patch', 'configmap', 'cm', '-p', '{"data":{"more":"1"}}'));
    await good(run('delete', 'configmap/cm', 'secret/s'));
  });

  it('[minicloud-5.5] rolls out, scales, goes back and restarts a Deployment', async () => {
    await good(apply(deployment('web:1'), { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] } }));
    expect(await good(run('rollout', 'status', 'deployment/web', '--timeout=120s'))).toContain('successfully rolled out');
    expect(await good(run('get', 'deployment', 'web'))).toMatch(/web\s+2\/2\s+2\s+2/);
    expect(await good(run('get', 'endpoints', 'web'))).toMatch(/10\.88\.0\.\d+:80,10\.88\.0\.\d+:80/);
    expect(await good(run('get', 'endpointslices', '-l', 'kubernetes.io/service-name=web'))).toMatch(/web-m0\s+IPv4\s+80\s+10\.88\.0\.\d+,10\.88\.0\.\d+/);
    await good(run('scale', 'deployment/web', '--replicas=3'));
    await good(run('rollout', 'status', 'deployment/web', '--timeout=120s'));
    expect(await good(run('get', 'deployment', 'web'))).toMatch(/web\s+3\/3\s+3\s+3/);
    await good(run('set', 'image', 'deployment/web', 'c=web:2'));
    await good(run('rollout', 'status', 'deployment/web', '--timeout=120s'));
    const images = (): Promise<string> => good(run('get', 'pods', '-l', 'app=web', '--field-selector=status.phase=Running', '-o', 'jsonpath={.items[*].spec.containers[0].image}'));
    // Pods that end go on running for a moment.
    await expect.poll(images).toBe('web:2 web:2 web:2');
    expect(await good(run('rollout', 'history', 'deployment/web'))).toMatch(/1\s+[\s\S]*2\s+/);
    await good(run('rollout', 'undo', 'deployment/web'));
    await good(run('rollout', 'status', 'deployment/web', '--timeout=120s'));
    await expect.poll(images).toBe('web:1 web:1 web:1');
    const described = await good(run('describe', 'deployment', 'web'));
    expect(described).toContain('NewReplicaSet');
    expect(described).toContain('ScalingReplicaSet');
    await good(run('scale', 'deployment/web', '--replicas=0'));
    await good(run('rollout', 'status', 'deployment/web', '--timeout=120s'));
    await node.client.until(() => fixture.cloud.api.store.list({ resource: 'pods' }).items.every((p) => !p.metadata.name.startsWith('web-')));
    await good(run('delete', 'deployment/web', 'service/web'));
  });

  it('[minicloud-5.6] cordons, and says why a pod waits', async () => {
    await good(run('cordon', 'e1'));
    await good(apply(pod('w2')));
    await node.client.until(() => fixture.cloud.api.store.list({ resource: 'events' }).items.some((e) => e['reason'] === 'FailedScheduling'));
    expect(await good(run('describe', 'pod', 'w2'))).toContain('1 cordoned');
    await good(run('uncordon', 'e1'));
    await good(run('wait', '--for=condition=Ready', 'pod/w2', '--timeout=120s'));
    await good(run('delete', 'pod', 'w2'));
  });

  it('[minicloud-5.8] applies devices, shows what they report, explains their fields and refuses typing errors', async () => {
    const api = { apiVersion: 'devices.kubeedge.io/v1beta1' };
    const thermometer = (desired: string): object => ({
      ...api, kind: 'Device', metadata: { name: 'd1' },
      spec: { nodeName: 'e1', deviceModelRef: { name: 'm1' }, protocol: { protocolName: 'modbus' }, properties: [{ name: 'temperature', desired: { value: desired } }] },
    });
    const model = { ...api, kind: 'DeviceModel', metadata: { name: 'm1' }, spec: { protocol: 'modbus', properties: [{ name: 'temperature', type: 'INT' }] } };
    expect(await good(apply(thermometer('25'), model))).toMatch(/device.devices.kubeedge.io\/d1 created\s+devicemodel.devices.kubeedge.io\/m1 created/);
    await node.client.waitForPush('insert', 'default/device/d1');
    const twin = { temperature: { actual: { value: '24', metadata: { timestamp: 1760000000123 } }, expected: { value: '25' }, metadata: { type: 'int' } } };
    const report = node.client.send({ source: 'twin', group: 'resource', operation: 'update', resource: 'device/default/d1/twin/edge_updated', content: { event_id: 'e', timestamp: 1, twin } });
    await node.client.waitFor((m) => m.header.parentId === report.header.id);
    expect(await good(run('get', 'devices'))).toMatch(/NAME\s+NODE\s+MODEL\s+PROTOCOL\s+AGE\s+d1\s+e1\s+m1\s+modbus/);
    expect(await good(run('get', 'devicestatus'))).toMatch(/NAME\s+STATE\s+REPORTED\s+LAST ONLINE\s+AGE\s+d1\s+temperature=24/);
    const shown = parse(await good(run('get', 'devicestatus', 'd1', '-o', 'yaml'))) as object;
    expect(shown).toMatchObject({ ...api, kind: 'DeviceStatus', status: { twins: [{ propertyName: 'temperature', reported: { value: '24', metadata: { timestamp: '1760000000123', type: 'int' } }, observedDesired: { value: '25' } }] } });
    expect(await good(apply(thermometer('30')))).toContain('d1 configured');
    expect((await node.client.waitForPush('update', 'default/device/d1')).content).toMatchObject({ spec: { properties: [{ desired: { value: '30' } }] } });
    expect(await good(run('explain', 'device.spec.properties.collectCycle'))).toContain('Milliseconds between two readings');
    expect((await apply({ ...model, spec: { properties: [{ name: 't', type: 'number' }] } })).stderr).toContain('spec.properties[0].type: must be one of "INT"');
    await good(apply({ ...api, kind: 'Device', metadata: { name: 'lost' }, spec: { nodeName: 'nowhere', deviceModelRef: { name: 'm1' } } }));
    await node.client.until(() => fixture.cloud.api.store.list({ resource: 'events' }).items.some((e) => e['reason'] === 'NodeNotFound'));
    expect(await good(run('describe', 'device', 'lost'))).toContain('there is no node "nowhere"');
    expect((await run('get', 'device', 'none')).stderr).toContain('devices.devices.kubeedge.io "none" not found');
    await good(run('delete', 'device/d1', 'device/lost', 'devicemodel/m1'));
    await node.client.until(() => fixture.cloud.api.store.list({ resource: 'devices.kubeedge.io/devicestatuses' }).items.length === 0);
  });

  it('[minicloud-5.7] knows KubeEdge\'s kinds and new ones', async () => {
    expect(await good(run('api-resources', '-o', 'name'))).toContain('configupdatejobs.operations.kubeedge.io');
    await good(apply({
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'cats.zoo.example' },
      spec: {
        group: 'zoo.example', scope: 'Namespaced', names: { plural: 'cats', kind: 'Cat' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
      },
    }));
    expect(await good(apply({ apiVersion: 'zoo.example/v1', kind: 'Cat', metadata: { name: 'tom' }, spec: { color: 'grey' } }))).toContain('created');
    expect(await good(run('get', 'cats', '-o', 'jsonpath={.items[0].spec.color}'))).toBe('grey');
  });
});
