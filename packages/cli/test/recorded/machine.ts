import { Modules, Operations, type Message } from '@edge/protocol';
import { normalise } from '@edge/testing';
import type { Contents } from './difference.js';

/** Members of a node whose values are the machine's, and the form that they have on any machine. */
const FORMS: Readonly<Record<string, RegExp>> = {
  cpu: /^\d+m?$/,
  memory: /^\d+Ki$/,
  'ephemeral-storage': /^\d+(Ki)?$/,
  pods: /^\d+$/,
  machineID: /^[0-9a-f]{32}$/,
  systemUUID: /^[0-9a-f-]{32,36}$/i,
  bootID: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  kernelVersion: /^\d+\.\d+/,
  osImage: /./,
  architecture: /^[a-z0-9]+$/,
  'beta.kubernetes.io/arch': /^[a-z0-9]+$/,
  'kubernetes.io/arch': /^[a-z0-9]+$/,
};

/**
 * The contents with words for what is the machine's in a registered node, as long as it has the right form, and for
 * the version of a lease, which depends on how many renewals came before.
 */
export function machineAside(contents: Contents, { route }: Message): Contents {
  if (route.operation === Operations.insert && route.resource.startsWith('null/node/')) {
    return { upstream: formsOf(contents.upstream), ours: formsOf(contents.ours) };
  }
  if (route.operation === Operations.update && route.resource.includes('/lease/')) {
    return { upstream: versionAside(contents.upstream), ours: versionAside(contents.ours) };
  }
  // Times and ids of a report; the play of devices goes by the clock of the machine.
  if (route.source === Modules.deviceTwin) return { upstream: normalise(contents.upstream, OF_A_REPORT), ours: normalise(contents.ours, OF_A_REPORT) };
  return contents;
}

const OF_A_REPORT = { members: ['timestamp', 'event_id'] };

function formsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(formsOf);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([key, item]: [string, unknown]): [string, unknown][] => {
    // Which huge pages there are is the machine's as well.
    if (key.startsWith('hugepages-')) return [];
    const form = FORMS[key];
    if (form === undefined || typeof item !== 'string') return [[key, formsOf(item)]];
    return [[key, form.test(item) ? `<${key}>` : item]];
  });
  return Object.fromEntries(entries);
}

function versionAside(value: unknown): unknown {
  const lease = structuredClone(value) as { metadata?: { resourceVersion?: unknown } } | null;
  if (typeof lease?.metadata?.resourceVersion === 'string') lease.metadata.resourceVersion = '<version>';
  return lease;
}
