import { expect, it } from 'vitest';
import type { Cluster } from './cluster.js';
import { shell } from './pod-handle.js';

/** Lines `NAME=value` as an object. */
function variables(output: string): Record<string, string> {
  return Object.fromEntries(output.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

const from = (name: string, valueFrom: object): { name: string; valueFrom: never } => ({ name, valueFrom: valueFrom as never });
const field = (name: string, fieldPath: string): ReturnType<typeof from> => from(name, { fieldRef: { fieldPath } });
const resource = (name: string, what: string, divisor?: string): ReturnType<typeof from> => from(name, { resourceFieldRef: { resource: what, ...(divisor ? { divisor } : {}) } });

/** Environment, command and arguments. */
export function environmentSpecs(cluster: () => Cluster): void {
  it('[conf-5.1] variables come from ConfigMaps and Secrets, key by key and as a whole', async () => {
    const map = await cluster().make('configmaps', { data: { 'data-1': 'one', DATA_2: 'two' } });
    const secret = await cluster().make('secrets', { stringData: { 'data-1': 's1', DATA_2: 's2' } });
    await using pod = await cluster().run({
      containers: [
        {
          name: 'main',
          // Without a shell, which would leave out the names that it cannot use.
          command: ['env'],
          env: [
            from('FROM_MAP', { configMapKeyRef: { name: map, key: 'data-1' } }),
            from('FROM_SECRET', { secretKeyRef: { name: secret, key: 'data-1' } }),
            from('OPTIONAL_KEY', { configMapKeyRef: { name: map, key: 'none', optional: true } }),
            from('OPTIONAL_SECRET', { secretKeyRef: { name: 'none', key: 'none', optional: true } }),
          ],
          envFrom: [{ configMapRef: { name: map } }, { prefix: 'p_', configMapRef: { name: map } }, { prefix: 's_', secretRef: { name: secret } }, { secretRef: { name: 'none', optional: true } }],
        },
      ],
    });
    await pod.succeeded();
    const seen = variables(pod.output());
    expect(seen).toMatchObject({ FROM_MAP: 'one', FROM_SECRET: 's1', DATA_2: 'two', p_DATA_2: 'two', s_DATA_2: 's2', 'data-1': 'one' });
    expect(Object.keys(seen).filter((name) => name.startsWith('OPTIONAL'))).toEqual([]);
  });

  it('[conf-5.2] a container that wants what is missing waits with CreateContainerConfigError and starts when it is there', async () => {
    const name = cluster().unique('late');
    await using pod = await cluster().start({ containers: [shell('echo $LATE', { env: [from('LATE', { configMapKeyRef: { name, key: 'k' } })] })] });
    await pod.until('waiting', () => pod.container().state.waiting?.reason === 'CreateContainerConfigError');
    expect(pod.container().state.waiting?.message).toContain(name);
    await cluster().resource('v1', 'configmaps').create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { k: 'here' } });
    await pod.succeeded();
    expect(pod.output()).toBe('here');
  });

  it('[conf-5.3] the pod knows itself: names, addresses, labels, annotations', async () => {
    await using pod = await cluster().start(
      {
        serviceAccountName: 'default',
        containers: [
          shell('env; sleep 3600', {
            env: [
              field('NAME', 'metadata.name'), field('NAMESPACE', 'metadata.namespace'), field('UID_', 'metadata.uid'), field('IP', 'status.podIP'), field('IPS', 'status.podIPs'),
              field('HOST_IP', 'status.hostIP'), field('HOST_IPS', 'status.hostIPs'), field('NODE', 'spec.nodeName'), field('ACCOUNT', 'spec.serviceAccountName'),
              field('LABEL', "metadata.labels['kind']"), field('ANNOTATION', "metadata.annotations['edge.test/note']"),
            ],
          }),
        ],
      },
      { labels: { kind: 'spec' }, annotations: { 'edge.test/note': 'hello there' } },
    );
    const { status, spec } = await pod.running();
    await pod.said('UID_=');
    const hostIPs = status?.hostIPs?.map(({ ip }) => ip).join(',');
    expect(variables(pod.output())).toMatchObject({
      NAME: pod.name, NAMESPACE: 'default', UID_: pod.uid, IP: pod.ip, IPS: pod.ip, HOST_IP: status?.hostIP, HOST_IPS: hostIPs, NODE: spec.nodeName, ACCOUNT: 'default', LABEL: 'spec', ANNOTATION: 'hello there',
    });
  });

  it('[conf-5.4] the pod knows its limits and requests, and the node\'s when it has none', async () => {
    const env = [resource('CPU_LIMIT', 'limits.cpu'), resource('MEMORY_LIMIT', 'limits.memory'), resource('CPU_REQUEST', 'requests.cpu', '1m'), resource('MEMORY_REQUEST', 'requests.memory', '1Mi')];
    await using pod = await cluster().run({
      containers: [shell('env', { env, resources: { requests: { cpu: '50m', memory: '20Mi' }, limits: { cpu: '1250m', memory: '64Mi' } } }), shell('env', { name: 'without', env: env.slice(0, 2) })],
    });
    await pod.succeeded();
    expect(variables(pod.output())).toMatchObject({ CPU_LIMIT: '2', MEMORY_LIMIT: '67108864', CPU_REQUEST: '50', MEMORY_REQUEST: '20' });
    const { allocatable = {} } = cluster().node.status ?? {};
    const seen = variables(pod.output('without'));
    expect(seen['CPU_LIMIT']).toBe(allocatable['cpu']);
    expect(Number(seen['MEMORY_LIMIT'])).toBe(Number(allocatable['memory']?.replace('Ki', '')) * 1024);
  });

  it('[conf-5.5] variables are composed of others, in the environment, the command and the arguments', async () => {
    await using pod = await cluster().run({
      containers: [
        {
          name: 'main',
          command: ['sh', '-c', 'echo "$(FOO)" $COMPOSED "$UNKNOWN" "$ESCAPED"; echo "$@"', '$(BAR)'],
          args: ['$(FOO)', '$(NOT_THERE)', '$$(FOO)'],
          env: [
            { name: 'FOO', value: 'foo-value' },
            { name: 'BAR', value: 'bar-value' },
            { name: 'COMPOSED', value: '$(FOO);;$(BAR)' },
            { name: 'UNKNOWN', value: '$(LATER)' },
            { name: 'ESCAPED', value: '$$(FOO)' },
            { name: 'LATER', value: 'x' },
          ],
        },
      ],
    });
    await pod.succeeded();
    expect(pod.output().split('\n')).toEqual(['foo-value foo-value;;bar-value $(LATER) $(FOO)', 'foo-value $(NOT_THERE) $(FOO)']);
  });
}
