import { between, listOfResolvers } from './checks.js';
import { bool, int32, list, own, string } from './build.js';

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
});
