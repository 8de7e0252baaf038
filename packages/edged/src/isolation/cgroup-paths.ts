import type { CgroupDriver } from '@edge/core';
import type { Pod } from '@edge/protocol';
import { qosClass } from '../plan/qos.js';

/** How control groups are called. */
export interface CgroupNaming {
  readonly driver: CgroupDriver;
  /** Group below which those of pods are made, as configured: empty or `/` for the top. */
  readonly root: string;
}

type QosClass = ReturnType<typeof qosClass>;

const PODS = 'kubepods';
const POD_PREFIX = 'pod';

/** The group of all pods, as a path below the mount of a hierarchy: `/kubepods`, `/kubepods.slice`. */
export function podsCgroup(naming: CgroupNaming): string {
  return cgroupPath(naming, [PODS]);
}

/** The group of a class. Guaranteed pods have none of their own. */
export function qosCgroup(naming: CgroupNaming, qos: QosClass): string {
  return cgroupPath(naming, [PODS, ...qosPart(qos)]);
}

/** The group of a pod: the parent of its containers' groups, and what the runtime is told as `cgroup_parent`. */
export function podCgroup(naming: CgroupNaming, pod: Pod): string {
  return cgroupPath(naming, [PODS, ...qosPart(qosClass(pod)), POD_PREFIX + (pod.metadata.uid ?? '')]);
}

/** Everywhere the group of a pod can be when its class is not known any more. */
export function possiblePodCgroups(naming: CgroupNaming, uid: string): string[] {
  return QOS_CLASSES.map((qos) => cgroupPath(naming, [PODS, ...qosPart(qos), POD_PREFIX + uid]));
}

/** The groups whose children are pods. */
export function parentsOfPods(naming: CgroupNaming): string[] {
  return QOS_CLASSES.map((qos) => qosCgroup(naming, qos));
}

/** The uid of the pod that a child of such a group belongs to; undefined for a group of something else. */
export function podOfCgroup(naming: CgroupNaming, folder: string): string | undefined {
  const name = naming.driver === 'systemd' ? /^(?:.*-)?([^-]+)\.slice$/.exec(folder)?.[1]?.replaceAll('_', '-') : folder;
  return name?.startsWith(POD_PREFIX) && name.length > POD_PREFIX.length ? name.slice(POD_PREFIX.length) : undefined;
}

/**
 * A group by the names on the way to it. For systemd each slice repeats the names of those above it, joined by dashes,
 * so a dash inside a name is written as an underscore.
 */
export function cgroupPath({ driver, root }: CgroupNaming, names: readonly string[]): string {
  const all = [...root.split('/').filter((name) => name !== ''), ...names];
  if (driver === 'cgroupfs') return `/${all.join('/')}`;
  const escaped = all.map((name) => name.replaceAll('-', '_'));
  return `/${escaped.map((_, index) => `${escaped.slice(0, index + 1).join('-')}.slice`).join('/')}`;
}

const QOS_CLASSES: readonly QosClass[] = ['Guaranteed', 'Burstable', 'BestEffort'];

function qosPart(qos: QosClass): string[] {
  return qos === 'Guaranteed' ? [] : [qos.toLowerCase()];
}
