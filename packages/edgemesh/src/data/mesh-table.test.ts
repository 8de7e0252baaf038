import type { KubeObject } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { MeshTable } from './mesh-table.js';
import type { ServiceName } from './service-table.js';

const service = (name: string, spec: object, metadata: object = {}): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default', ...metadata }, spec });
const slice = (name: string, owner: string, endpoints: readonly object[], ports: readonly object[] | null = [{ name: 'http', port: 8080, protocol: 'TCP' }], addressType = 'IPv4'): KubeObject =>
  ({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': owner } }, addressType, endpoints, ports });
const keyed = (object: KubeObject): { key: string; object: KubeObject } => ({ key: `/${object.kind}/${object.metadata.namespace}/${object.metadata.name}`, object });

function tableOf(...objects: KubeObject[]): MeshTable {
  const table = new MeshTable({ api: { address: '169.254.30.10', port: 10_550 } });
  table.apply(objects.map(keyed));
  return table;
}
const WEB = service('web', { clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'], ports: [{ name: 'http', port: 80, targetPort: 8080 }] });
const addresses = (table: MeshTable, name = 'web', port = 0): string[] => (table.get('default', name)?.ports[port]?.endpoints ?? []).map(({ address, port: at }) => `${address}:${at}`);

describe('services and what is behind them', () => {
  it('[edgemesh-2.1] a service has the endpoints of all its slices, each once, whatever order they come in', () => {
    const a = slice('web-a', 'web', [{ addresses: ['10.0.0.2'], nodeName: 'n2', zone: 'z' }, { addresses: ['10.0.0.1'], conditions: { ready: false, serving: true, terminating: true } }]);
    const b = slice('web-b', 'web', [{ addresses: ['10.0.0.1'], conditions: { ready: true } }, { addresses: ['10.0.0.3'] }]);
    const table = tableOf(WEB, a, b);
    expect(addresses(table)).toEqual(['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080']);
    expect(table.get('default', 'web')?.ports[0]?.endpoints[0]).toMatchObject({ ready: true, terminating: false });
    expect(table.get('default', 'web')?.ports[0]?.endpoints[1]).toMatchObject({ nodeName: 'n2', zone: 'z' });
    const other = tableOf(b, a, WEB);
    expect(other.get('default', 'web')).toEqual(table.get('default', 'web'));
    table.apply([{ key: keyed(b).key, object: undefined }]);
    expect(table.get('default', 'web')?.ports[0]?.endpoints).toMatchObject([{ address: '10.0.0.1', ready: false, serving: true, terminating: true }, { address: '10.0.0.2' }]);
  });

  it.each([
    ['nothing told: ready', {}, { ready: true, serving: true, terminating: false }],
    ['ready unknown: ready', { ready: null }, { ready: true, serving: true }],
    ['not ready', { ready: false }, { ready: false, serving: false }],
    ['on its way out', { ready: false, serving: true, terminating: true }, { ready: false, serving: true, terminating: true }],
    ['a service that publishes all: the cloud says ready', { ready: true, serving: false, terminating: true }, { ready: true, serving: false, terminating: true }],
  ])('[edgemesh-2.2] conditions: %s', (_title, conditions, expected) => {
    const table = tableOf(WEB, slice('s', 'web', [{ addresses: ['10.0.0.1'], conditions }]));
    expect(table.get('default', 'web')?.ports[0]?.endpoints[0]).toMatchObject(expected);
  });

  it('[edgemesh-2.3] named ports are matched by name and protocol, and two families stand side by side', () => {
    const dns = service('dns', { clusterIPs: ['10.96.0.10', 'FD00::0A'], ports: [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp', port: 53 }, { name: 'sctp', port: 9, protocol: 'SCTP' }, { name: 'metrics', port: 9153, appProtocol: 'http' }] });
    const ports = [{ name: 'dns', port: 1053, protocol: 'UDP' }, { name: 'dns-tcp', port: 1054 }, { name: 'sctp', port: 9, protocol: 'SCTP' }];
    const table = tableOf(dns, slice('a', 'dns', [{ addresses: ['10.0.0.1'] }], ports), slice('b', 'dns', [{ addresses: ['fd00:0:0::1'] }], ports, 'IPv6'), slice('c', 'dns', [{ addresses: ['a.example'] }], ports, 'FQDN'));
    expect(table.get('default', 'dns')).toMatchObject({ clusterIPs: ['10.96.0.10', 'fd00::a'], headless: false, hosts: [] });
    expect(table.get('default', 'dns')?.ports.map(({ name, protocol }) => `${name} ${protocol}`)).toEqual(['dns UDP', 'dns-tcp TCP', 'metrics TCP']);
    expect([addresses(table, 'dns', 0), addresses(table, 'dns', 1), addresses(table, 'dns', 2)]).toEqual([['10.0.0.1:1053', 'fd00::1:1053'], ['10.0.0.1:1054', 'fd00::1:1054'], []]);
    expect(table.byAddress('fd00:0::a')?.name).toBe('dns');
  });

  it('[edgemesh-2.4] headless services have hosts, with and without ports; a name elsewhere has neither', () => {
    const named = [{ addresses: ['10.0.0.1'], hostname: 'web-0' }, { addresses: ['10.0.0.2'], hostname: 'web-1', conditions: { ready: false } }];
    const table = tableOf(
      service('web', { clusterIP: 'None', ports: [{ name: 'http', port: 8080 }] }), slice('a', 'web', named),
      service('bare', { clusterIP: 'None' }), slice('b', 'bare', named, null),
      service('away', { type: 'ExternalName', externalName: 'db.example.com', ports: [{ port: 5432 }] }),
    );
    expect(table.get('default', 'web')).toMatchObject({ headless: true, clusterIPs: [], hosts: [{ hostname: 'web-0', ready: true }, { hostname: 'web-1', ready: false }] });
    expect(table.get('default', 'bare')).toMatchObject({ headless: true, ports: [], hosts: [{ address: '10.0.0.1' }, { address: '10.0.0.2' }] });
    expect(table.get('default', 'away')).toMatchObject({ headless: false, externalName: 'db.example.com', ports: [], clusterIPs: [] });
  });

  it('[edgemesh-2.5] without slices Endpoints count, and with the first slice they do not any more', () => {
    const endpoints: KubeObject = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'web', namespace: 'default' },
      subsets: [{ addresses: [{ ip: '10.0.0.1', nodeName: 'n1' }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [{ name: 'http', port: 8080 }] }] };
    const table = tableOf(WEB, endpoints);
    expect(table.get('default', 'web')?.ports[0]?.endpoints).toMatchObject([{ address: '10.0.0.1', nodeName: 'n1', ready: true }, { address: '10.0.0.2', ready: false }]);
    table.apply([keyed(slice('a', 'web', [{ addresses: ['10.0.0.3'] }]))]);
    expect(addresses(table)).toEqual(['10.0.0.3:8080']);
  });

  it("[edgemesh-2.6] kubernetes stands for the node's own API as pods reach it, and for no other service", () => {
    const put = [{ addresses: ['127.0.0.1'] }];
    const ports = [{ name: 'https', port: 10_550 }];
    const api = service('kubernetes', { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443 }] });
    const shop = service('shop', { clusterIP: '10.96.0.9', ports: [{ name: 'https', port: 443 }] });
    const objects = [api, slice('kubernetes', 'kubernetes', put, ports), shop, slice('shop-1', 'shop', put, ports)];
    const table = tableOf(...objects);
    expect([addresses(table, 'kubernetes'), addresses(table, 'shop')]).toEqual([['169.254.30.10:10550'], []]);
    const without = new MeshTable();
    without.apply(objects.map(keyed));
    expect(addresses(without, 'kubernetes')).toEqual([]);
  });

  it('[edgemesh-2.7] affinity, local traffic, other proxies and annotations are told', () => {
    const table = tableOf(
      service('a', { clusterIP: '10.96.0.2', sessionAffinity: 'ClientIP', internalTrafficPolicy: 'Local' }, { labels: { 'service.kubernetes.io/service-proxy-name': 'x' }, annotations: { mine: 'yes', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }),
      service('b', { clusterIP: '10.96.0.3', sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }),
      ...[0.5, 1e21, 90_000].map((timeoutSeconds, index) => service(`odd${index}`, { clusterIP: `10.96.0.1${index}`, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds } } })),
    );
    // One that the kernel would not take would keep all others from it as well.
    expect([0, 1, 2].map((index) => table.get('default', `odd${index}`)?.sessionAffinitySeconds)).toEqual([10_800, 86_400, 86_400]);
    expect(table.get('default', 'a')).toMatchObject({ sessionAffinitySeconds: 10_800, localOnly: true, foreignProxy: true, annotations: { mine: 'yes' } });
    expect(Object.keys(table.get('default', 'a')?.annotations ?? {})).toEqual(['mine']);
    expect(table.get('default', 'b')).toMatchObject({ sessionAffinitySeconds: 60, localOnly: false, foreignProxy: false });
  });

  it('[edgemesh-2.8] listeners hear of what changed and of nothing else, and what is missing of everything has gone', () => {
    const table = tableOf(WEB, slice('a', 'web', [{ addresses: ['10.0.0.1'] }]));
    const heard: (readonly ServiceName[])[] = [];
    const subscription = table.changes.subscribe((changed) => heard.push(changed));
    table.apply([keyed({ ...WEB, status: { loadBalancer: {} } }), keyed(slice('a', 'web', [{ addresses: ['10.0.0.1'], targetRef: { name: 'p' } }]))]);
    expect(heard).toEqual([]);
    table.apply([keyed(slice('a', 'web', [{ addresses: ['10.0.0.9'] }]))]);
    expect(heard).toEqual([[{ namespace: 'default', name: 'web' }]]);
    table.replace([keyed(service('new', { clusterIP: '10.96.0.5' }))]);
    expect(heard[1]).toEqual(expect.arrayContaining([{ namespace: 'default', name: 'web' }, { namespace: 'default', name: 'new' }]));
    expect([table.get('default', 'web'), table.byAddress('10.96.0.5')?.name, table.size]).toEqual([undefined, 'new', 1]);
    subscription[Symbol.dispose]();
    table.replace([]);
    expect(heard).toHaveLength(2);
  });

  it('[edgemesh-2.9] objects that make no sense are left alone', () => {
    const junk = [null, 5, 'x', [], {}, { spec: null }, { kind: 'Service', metadata: {}, spec: { ports: 7 } }];
    const table = new MeshTable();
    for (const spec of junk) {
      table.apply([keyed(service('a', spec as object)), keyed(slice('s', 'a', junk as object[], junk as object[])), keyed({ kind: 'Endpoints', metadata: { name: 'a', namespace: 'default' }, subsets: junk })]);
      table.apply([{ key: 'x', object: { metadata: {}, spec } as unknown as KubeObject }]);
    }
    expect(table.get('default', 'a')?.ports).toEqual([]);
  });
});
