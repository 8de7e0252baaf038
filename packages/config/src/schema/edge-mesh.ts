import { between, listOfResolvers } from './checks.js';
import { bool, choice, int32, list, own, string } from './build.js';

export const edgeMesh = own('Services by name and by cluster address on the node.', {
  enable: bool(false, 'Run the module.'),
  address: string('169.254.96.17', 'The node\'s own address for its services, on the link edge-mesh0 that is made for it; pods get it as their DNS server where clusterDNS is empty.'),
  dns: own('Names of services.', {
    enable: bool(true, 'Answer questions for names.'),
    port: int32(53, 'Port on that address, UDP and TCP; 0 takes any free one.', { check: between(0, 65535, 'a port') }),
    upstream: list(undefined, 'Who is asked for all other names: addresses, with or without a port. Empty: the servers in resolvConf.', { check: listOfResolvers }),
    ttlSeconds: int32(5, 'How long answers about services may be kept.', { check: between(0, 3600, 'seconds') }),
    cacheEntries: int32(4096, 'Answers about other names that are kept.', { check: between(0, 1_000_000) }),
  }),
  proxy: own('Ways from cluster addresses to what serves them.', {
    enable: bool(true, 'Make services reachable at their cluster addresses.'),
    intercept: choice(['auto', 'nftables', 'iptables', 'listeners', 'own-address'], 'Who sends connections on: the kernel by rules of nftables or of iptables; the agent itself, on listeners and without rules; or the first of these that can be had. own-address: the agent itself, and names lead to addresses of the node\'s own in place of cluster addresses.'),
    ownRange: string('', 'Range of those addresses. Empty: 240.96.0.0/16, which nobody else has, or 127.96.0.0/16 where the agent may make no route (CAP_NET_ADMIN): that one leads programs of the node, and not pods with a network of their own.'),
    strategy: choice(['RoundRobin', 'Random', 'LeastConnections'], 'How one of several endpoints is picked; the annotation mesh.edge/balance of a service goes before it. LeastConnections is carried by the agent itself.'),
    locality: choice(['spread', 'near'], 'All endpoints alike, or those of this node while there are any.'),
    checkSeconds: int32(10, 'Between checks whether endpoints take connections; 0 makes none.', { check: between(0, 86_400, 'seconds') }),
    maxConnections: int32(10_000, 'Connections that the agent itself carries at the same time, and no more than open files allow.', { check: between(1, 1_000_000) }),
    idleSeconds: int32(7_200, 'Without a byte either way, after which a carried connection is closed.', { check: between(1, 604_800, 'seconds') }),
    lapseSeconds: int32(0, 'How long rules of nftables go on sending new connections on after an orderly end of the agent; 0 removes them at once. Open connections live on in either case.', { check: between(0, 86_400, 'seconds') }),
  }),
});
