import { describe, expect, it } from 'vitest';
import { parseEdgeMeshConfig } from './config.js';

describe('the configuration', () => {
  it('[edgemesh-1.1] is off unless it is switched on, and every value has a default', () => {
    expect(parseEdgeMeshConfig(undefined)).toMatchObject({
      enable: false, address: '169.254.96.17', clusterDomain: 'cluster.local', api: undefined,
      dns: { enable: true, port: 53, upstream: [], resolverFile: '/etc/resolv.conf', ttlSeconds: 5, cacheEntries: 4096 },
    });
  });

  it("[edgemesh-1.2] takes the cluster's domain, the resolver file and the place of the local API from where they stand", () => {
    const edged = { tailoredKubeletConfig: { clusterDomain: 'Edge.Example.', resolvConf: '/run/resolv.conf' } };
    const root = (metaServer: object, gate: boolean): Record<string, unknown> => ({ modules: { edged, metaManager: { metaServer } }, featureGates: { requireAuthorization: gate } });
    const open = parseEdgeMeshConfig({ dns: { upstream: ['192.0.2.1', '[2001:db8::1]:5353'] } }, root({ enable: true }, false));
    expect(open).toMatchObject({ clusterDomain: 'edge.example', api: { address: '127.0.0.1', port: 10_550 }, dns: { resolverFile: '/run/resolv.conf' } });
    expect(open.dns.upstream).toEqual([{ address: '192.0.2.1', port: 53 }, { address: '2001:db8::1', port: 5353 }]);
    expect(parseEdgeMeshConfig({}, root({ enable: true, dummyServer: '169.254.30.11:7' }, true)).api).toEqual({ address: '169.254.30.11', port: 7 });
    expect(parseEdgeMeshConfig({}, root({ enable: false }, true)).api).toBeUndefined();
  });

  it.each([
    [{ enable: 'yes' }, 'edge.edgeMesh.enable is "yes", it must be true or false'],
    [{ address: '8.8.8.8' }, 'edge.edgeMesh.address is "8.8.8.8", it must be a link-local'],
    [{ address: 'mesh' }, 'edge.edgeMesh.address is "mesh"'],
    [{ dns: { port: 65_536 } }, 'edge.edgeMesh.dns.port is 65536, it must be a whole number from 0 to 65535'],
    [{ dns: { upstream: '192.0.2.1' } }, 'edge.edgeMesh.dns.upstream is "192.0.2.1", it must be a list of addresses'],
    [{ dns: { upstream: ['192.0.2.1', 'one.example'] } }, 'edge.edgeMesh.dns.upstream[1] is "one.example", it must be an address'],
    [{ proxy: { intercept: 'ebpf' } }, 'edge.edgeMesh.proxy.intercept is "ebpf", it must be one of auto, nftables, iptables, listeners, own-address'],
    [{ proxy: { ownRange: '8.8.0.0/16' } }, 'edge.edgeMesh.proxy.ownRange is "8.8.0.0/16", it must be an IPv4 range'],
    [{ proxy: { strategy: 'Best' } }, 'edge.edgeMesh.proxy.strategy is "Best", it must be one of RoundRobin, Random, LeastConnections'],
    [{ proxy: { maxConnections: 0 } }, 'edge.edgeMesh.proxy.maxConnections is 0, it must be a whole number from 1 to 1000000'],
    [{ proxy: { enable: 1 } }, 'edge.edgeMesh.proxy.enable is 1, it must be true or false'],
  ])('[edgemesh-1.3] refuses %j and says what would be right', (raw, words) => {
    expect(() => parseEdgeMeshConfig(raw)).toThrow(words);
  });
});
