import { amounts, type Amounts } from '../plan/pod-resources.js';

/** On what reservations are enforced, in upstream's words of `enforceNodeAllocatable`. */
export interface ReservationSettings {
  readonly enforce: readonly string[];
  readonly systemReserved: Readonly<Record<string, string>>;
  readonly kubeReserved: Readonly<Record<string, string>>;
  readonly systemReservedCgroup: string;
  readonly kubeReservedCgroup: string;
}

/** A group outside the pods' that gets limits too. */
export interface ReservedGroup {
  readonly cgroup: string;
  readonly limits: Amounts;
}

/** What all pods together may take: all there is, or without what is reserved. */
export function podsMayTake(capacity: Amounts, { enforce, systemReserved, kubeReserved }: ReservationSettings): Amounts {
  if (!enforce.includes('pods')) return capacity;
  const reserved = [amounts(systemReserved), amounts(kubeReserved)];
  return new Map(
    [...capacity].map(([name, amount]) => {
      const rest = reserved.reduce((left, each) => left - (each.get(name) ?? 0n), amount);
      return [name, rest < 0n ? 0n : rest];
    }),
  );
}

/** The groups of the system and of the agent, where their reservations are to be limits as well. */
export function reservedGroups({ enforce, ...settings }: ReservationSettings): ReservedGroup[] {
  const group = (word: string, cgroup: string, quantities: Readonly<Record<string, string>>): ReservedGroup[] => {
    const limits = amounts(quantities);
    if (cgroup === '') return [];
    if (enforce.includes(word)) return [{ cgroup, limits }];
    // Processor time can be shared out without harm to those who run already.
    const cpu = limits.get('cpu');
    return enforce.includes(`${word}-compressible`) && cpu !== undefined ? [{ cgroup, limits: new Map([['cpu', cpu]]) }] : [];
  };
  return [
    ...group('system-reserved', settings.systemReservedCgroup, settings.systemReserved),
    ...group('kube-reserved', settings.kubeReservedCgroup, settings.kubeReserved),
  ];
}
