import { EdgeError } from '@edge/core';
import { parseQuantity } from '../plan/quantity.js';
import type { Pressure } from './pressure.js';

/** What is watched, in upstream's words, with the condition that it leads to. */
export const PRESSURE_OF = {
  'memory.available': 'MemoryPressure',
  'allocatableMemory.available': 'MemoryPressure',
  'nodefs.available': 'DiskPressure',
  'nodefs.inodesFree': 'DiskPressure',
  'imagefs.available': 'DiskPressure',
  'imagefs.inodesFree': 'DiskPressure',
  'pid.available': 'PIDPressure',
} as const satisfies Readonly<Record<string, Pressure>>;

export type EvictionSignal = keyof typeof PRESSURE_OF;

/** A whole number of bytes, inodes or processes; or a share of what there is, 0 to 1. */
export type Bound = { readonly amount: bigint } | { readonly share: number };

export interface Threshold {
  readonly signal: EvictionSignal;
  /** Met when less than this is available. */
  readonly below: Bound;
  /** Milliseconds that it has to be met before a pod is evicted. 0: a hard limit, at once. */
  readonly graceMs: number;
  /** As much more has to be free before it counts as no longer met. */
  readonly reclaim?: Bound;
}

type Texts = Readonly<Record<string, string>>;

export interface ThresholdConfig {
  readonly evictionHard: Texts;
  readonly evictionSoft: Texts;
  /** Milliseconds by signal. */
  readonly softGraceMs: Readonly<Record<string, number>>;
  readonly minimumReclaim: Texts;
  /** Also watch what all pods together may take. */
  readonly watchAllocatable: boolean;
}

/** Where a container writes is told apart from where images lie by no runtime that is supported here; upstream ignores these as well. */
const IGNORED = new Set(['containerfs.available', 'containerfs.inodesFree']);
const PATH = 'modules.edged.tailoredKubeletConfig';

/**
 * Reads the limits at which pods are evicted.
 * @throws EdgeError `config.invalid` naming key and value
 */
export function parseThresholds(config: ThresholdConfig): Threshold[] {
  const reclaims = new Map(bounds('evictionMinimumReclaim', config.minimumReclaim));
  const threshold = (signal: EvictionSignal, below: Bound, graceMs: number): Threshold => {
    const reclaim = reclaims.get(signal);
    return { signal, below, graceMs, ...(reclaim === undefined ? {} : { reclaim }) };
  };
  const hard = bounds('evictionHard', config.evictionHard).map(([signal, below]) => threshold(signal, below, 0));
  const soft = bounds('evictionSoft', config.evictionSoft).map(([signal, below]) => {
    const graceMs = config.softGraceMs[signal];
    if (graceMs === undefined) throw new EdgeError('config.invalid', `${PATH}.evictionSoftGracePeriod has no ${signal}, which evictionSoft needs`);
    return threshold(signal, below, graceMs);
  });
  const memory = config.watchAllocatable ? hard.filter(({ signal }) => signal === 'memory.available') : [];
  return [...hard, ...soft, ...memory.map((one) => ({ ...one, signal: 'allocatableMemory.available' as const }))];
}

function bounds(key: string, texts: Texts): [EvictionSignal, Bound][] {
  return Object.entries(texts).flatMap(([signal, text]): [EvictionSignal, Bound][] => {
    if (IGNORED.has(signal)) return [];
    if (!(signal in PRESSURE_OF)) {
      throw new EdgeError('config.invalid', `${PATH}.${key} names "${signal}", which is none of ${Object.keys(PRESSURE_OF).join(', ')}`);
    }
    const below = bound(`${PATH}.${key}["${signal}"]`, text);
    return below === undefined ? [] : [[signal as EvictionSignal, below]];
  });
}

/** Undefined for the two percentages that switch a limit off. */
function bound(path: string, text: string): Bound | undefined {
  if (text.endsWith('%')) {
    const percent = Number(text.slice(0, -1));
    if (percent === 0 || percent === 100) return undefined;
    if (percent > 0 && percent < 100) return { share: percent / 100 };
  } else {
    const amount = wholeAmount(text);
    if (amount !== undefined && amount > 0n) return { amount };
  }
  throw new EdgeError('config.invalid', `${path} is ${JSON.stringify(text.slice(0, 40))}, it has to be a quantity above zero or a percentage`);
}

function wholeAmount(text: string): bigint | undefined {
  try {
    return (parseQuantity(text) + 999n) / 1000n;
  } catch {
    return undefined;
  }
}

/** The bound in numbers. */
export function boundAmount(bound: Bound, capacity: bigint): bigint {
  return 'amount' in bound ? bound.amount : BigInt(Math.trunc(Number(capacity) * bound.share));
}
