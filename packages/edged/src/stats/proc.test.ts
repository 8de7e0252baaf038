import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { mainInterface, parseMemory, parseNetDev, parseStat, readMachineUse } from './proc.js';

describe('the machine\'s use', () => {
  it('[edged-30.1] counts processor time without idling, and when the machine booted', () => {
    const text = 'cpu  100 20 30 99999 888 4 5 6 70 0\ncpu0 1 1 1 1 1 1 1 1 1 1\nbtime 1700000000\n';
    expect(parseStat(text)).toEqual({ cpuNanoseconds: 165 * 1e7, bootedAt: 1_700_000_000_000 });
  });

  it('[edged-30.2] takes for working set what is in use without files that can be dropped', () => {
    const meminfo = 'MemTotal: 1000 kB\nMemFree: 300 kB\nBuffers: 10 kB\nCached: 200 kB\nInactive(file): 50 kB\nAnonPages: 120 kB\nSwapTotal: 40 kB\nSwapFree: 15 kB\n';
    expect(parseMemory(meminfo, 'pgfault 77\npgmajfault 3\n')).toEqual({
      memory: { totalBytes: 1_024_000, usageBytes: 716_800, workingSetBytes: 665_600, rssBytes: 122_880, cacheBytes: 215_040, pageFaults: 77, majorPageFaults: 3 },
      swap: { totalBytes: 40_960, usedBytes: 25_600 },
    });
  });

  it('[edged-30.3] reads interfaces without the loopback, also where the count touches the name', () => {
    const text = 'Inter-|   Receive |  Transmit\n face |bytes\n    lo: 9 9 9 9 9 9 9 9 9 9 9 9\neth1:1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n wlan0: 100 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n';
    const found = parseNetDev(text);
    expect(found.map(({ name }) => name)).toEqual(['eth1', 'wlan0']);
    expect(found[0]).toEqual({ name: 'eth1', rxBytes: 1, rxPackets: 2, rxErrors: 3, rxDropped: 4, txBytes: 5, txPackets: 6, txErrors: 7, txDropped: 8 });
    expect(mainInterface(found)?.name).toBe('wlan0');
    expect(mainInterface([...found, { ...found[0]!, name: 'eth0' }])?.name).toBe('eth0');
    expect(mainInterface([])).toBeUndefined();
  });

  it('[edged-30.4] reads this machine', async () => {
    const use = await readMachineUse();
    expect(use.memory.totalBytes).toBe(totalmem());
    expect(use.cpuNanoseconds).toBeGreaterThan(0);
    expect(use.bootedAt).toBeLessThan(Date.now());
    expect(use.processes.now).toBeGreaterThan(0);
  });
});
