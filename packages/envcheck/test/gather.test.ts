import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { gatherHostFacts, gatherNetwork, lookupHost, resolveNodeAddress } from '../src/index.js';
import { addressesInHosts } from '../src/gather.js';

describe('the facts of this machine', () => {
  it('[envcheck-6.1] hold the loopback interface, and every address belongs to an interface', async () => {
    const { interfaces } = await gatherNetwork();
    expect(interfaces).toContainEqual({ interface: 'lo', address: '127.0.0.1' });
  });

  it('[envcheck-6.2] give an address that is one of this machine, or none', async () => {
    const network = await gatherNetwork();
    const { address, addresses } = await resolveNodeAddress({ ...network, customInterfaceName: '', nodeIP: '', hostname: hostname(), lookup: lookupHost });
    if (address === undefined) expect(addresses).toEqual([]);
    else expect(network.interfaces.map((local) => local.address)).toContain(address);
  });

  it('[envcheck-6.3] give what the defaults of the configuration need', async () => {
    const facts = await gatherHostFacts();
    expect(facts.hostname).toBe(hostname());
    expect(facts.localIP).toMatch(/^[\d.]+$|:/);
  });

  it('[envcheck-6.4] a name of the hosts file is not asked for elsewhere', async () => {
    expect(await lookupHost('localhost')).toContain('127.0.0.1');
  });

  it('[envcheck-6.5] the hosts file may have comments, several names and any case', () => {
    const text = '# 192.0.2.9 vm\n192.0.2.1\tgate  VM # me\n::1 vm\n\n192.0.2.2 vm2\n';
    expect(addressesInHosts(text, 'Vm')).toEqual(['192.0.2.1', '::1']);
    expect(addressesInHosts(text, 'me')).toEqual([]);
  });
});
