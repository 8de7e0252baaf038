import { formatBytes, formatMilli, parseQuantity } from './quantity.js';

/** What the machine has; sizes in bytes. */
export interface MachineResources {
  readonly milliCpu: number;
  readonly memory: bigint;
  /** Size of the file system of the root directory. */
  readonly storage: bigint;
  /** Reserved huge pages in bytes, by page size as Kubernetes writes it (`2Mi`). */
  readonly hugePages: Readonly<Record<string, bigint>>;
}

export interface ResourceRules {
  readonly maxPods: number;
  /** 0: no limit by cores. */
  readonly podsPerCore: number;
  readonly systemReserved: Readonly<Record<string, string>>;
  readonly kubeReserved: Readonly<Record<string, string>>;
  /** Hard eviction limits, `memory.available` → `100Mi` or `10%`. */
  readonly evictionHard: Readonly<Record<string, string>>;
  readonly ignoreEvictionLimits: boolean;
}

/** Quantities by resource name. */
export type Quantities = Record<string, string>;

/** What the node has and what pods may take of it. Pure. */
export function nodeResources(machine: MachineResources, rules: ResourceRules): { capacity: Quantities; allocatable: Quantities } {
  const pods = rules.podsPerCore > 0 ? Math.min(rules.maxPods, Math.floor((rules.podsPerCore * machine.milliCpu) / 1000)) : rules.maxPods;
  const hugePages = Object.entries(machine.hugePages).map(([size, bytes]): [string, bigint] => [`hugepages-${size}`, bytes]);
  const reserved = (name: string): bigint => quantity(rules.systemReserved[name]) + quantity(rules.kubeReserved[name]);
  const limit = (signal: string, of: bigint): bigint => (rules.ignoreEvictionLimits ? 0n : threshold(rules.evictionHard[signal], of));
  const inHugePages = hugePages.reduce((sum, [, bytes]) => sum + bytes, 0n);

  const common = { ...Object.fromEntries(hugePages.map(([name, bytes]) => [name, formatBytes(bytes)])), pods: String(pods) };
  return {
    capacity: sorted({
      cpu: formatMilli(BigInt(machine.milliCpu)),
      'ephemeral-storage': formatBytes(machine.storage),
      memory: formatBytes(machine.memory),
      ...common,
    }),
    allocatable: sorted({
      cpu: formatMilli(atLeastZero(BigInt(machine.milliCpu) - reserved('cpu'))),
      'ephemeral-storage': formatBytes(atLeastZero(machine.storage - whole(reserved('ephemeral-storage')) - limit('nodefs.available', machine.storage))),
      memory: formatBytes(atLeastZero(machine.memory - inHugePages - whole(reserved('memory')) - limit('memory.available', machine.memory))),
      ...common,
    }),
  };
}

/** As Go writes maps. */
function sorted(quantities: Quantities): Quantities {
  return Object.fromEntries(Object.entries(quantities).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function quantity(text: string | undefined): bigint {
  return text === undefined ? 0n : parseQuantity(text);
}

function threshold(text: string | undefined, of: bigint): bigint {
  if (text === undefined) return 0n;
  // Upstream keeps the share in single precision; the last digits of what it reports come from that.
  if (text.endsWith('%')) return BigInt(Math.trunc(Number(of) * Math.fround(Number(text.slice(0, -1)) / 100)));
  return whole(parseQuantity(text));
}

function whole(milli: bigint): bigint {
  return (milli + 999n) / 1000n;
}

function atLeastZero(value: bigint): bigint {
  return value < 0n ? 0n : value;
}
