import { describe, expect, it } from 'vitest';
import { parseIpv4Routes, parseIpv6Routes } from './routes.js';

const IPV4 = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
wwan0\t00000000\t00000000\t0001\t0\t0\t700\t00000000\t0\t0\t0
eth1\t00000000\t010200C0\t0002\t0\t0\t5\t00000000\t0\t0\t0
bad0\t00000000\t00000000\t0201\t0\t0\t5\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t00000000\t00000000\t0001\t0\t0\t0\t000000F0\t0\t0\t0
`;
const IPV6 = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;

describe('routes', () => {
  it('[envcheck-2.1] default routes are those up, with or without gateway; nets, dead and rejecting ones are none', () => {
    expect(parseIpv4Routes(IPV4)).toEqual([
      { family: 4, interface: 'eth0', metric: 100 },
      { family: 4, interface: 'wwan0', metric: 700 },
    ]);
    expect(parseIpv6Routes(IPV6)).toEqual([{ family: 6, interface: 'eth0', metric: 1024 }]);
  });

  it('[envcheck-2.2] nothing and nonsense give no routes', () => {
    for (const text of ['', '\n\n', 'x y z', 'a'.repeat(1000)]) expect([...parseIpv4Routes(text), ...parseIpv6Routes(text)]).toEqual([]);
  });
});
