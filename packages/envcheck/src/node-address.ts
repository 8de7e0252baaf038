import { abortError, EdgeError, withTimeout } from '@edge/core';
import { amongNamed, candidates, onDefaultRoute, type NetworkFacts } from './choose-address.js';
import { EnvironmentError } from './errors.js';
import { canonical, unusable } from './ip.js';

/** All addresses of a host name. May take long; it is not waited for beyond the limit. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

export interface NodeAddressQuestion extends NetworkFacts {
  /** `modules.edged.customInterfaceName`; goes before all else when not empty. */
  readonly customInterfaceName: string;
  /** `modules.edged.nodeIP`; one address, or an IPv4 and an IPv6 one with a comma between. */
  readonly nodeIP: string;
  readonly hostname: string;
  readonly lookup: Lookup;
  readonly signal?: AbortSignal;
  /** Longest wait for the lookup, milliseconds; 2000 when not given: a start without network must not hang on DNS. */
  readonly lookupLimit?: number;
}

export interface NodeAddress {
  /** The node's address; absent when this machine has none, as with the cable out. The agent starts all the same. */
  readonly address?: string;
  /** `address` and, where two are configured, the other one. */
  readonly addresses: readonly string[];
  readonly source: 'custom-interface' | 'node-ip' | 'hostname' | 'default-route' | 'any' | 'none';
}

const LOOKUP_LIMIT_MS = 2000;

/**
 * The one place that decides the node's address: by configured interface, by configured address, else by the host name,
 * then the default route's interface, then any address. Throws `EnvironmentError` only for what is configured and wrong.
 */
export async function resolveNodeAddress(question: NodeAddressQuestion): Promise<NodeAddress> {
  if (question.customInterfaceName !== '') return fromInterface(question);
  if (question.nodeIP !== '') return fromNodeIP(question);
  const all = candidates(question);
  if (all.length === 0) return { addresses: [], source: 'none' };
  const named = amongNamed(await namesOf(question), question);
  if (named !== undefined) return found(named.address, 'hostname');
  const routed = onDefaultRoute(all, question.routes);
  if (routed !== undefined) return found(routed.address, 'default-route');
  const [first] = all;
  return first === undefined ? { addresses: [], source: 'none' } : found(first.address, 'any');
}

const found = (address: string, source: NodeAddress['source']): NodeAddress => ({ address, addresses: [address], source });

/** IPv4 first, for that is the order of the candidates. */
function fromInterface(question: NodeAddressQuestion): NodeAddress {
  const name = question.customInterfaceName;
  const [first] = candidates({ ...question, interfaces: question.interfaces.filter((local) => local.interface === name) });
  if (first !== undefined) return found(first.address, 'custom-interface');
  const message = `modules.edged.customInterfaceName is ${JSON.stringify(name)}, but this interface is not there, is down, or has no address a node can use; ${available(question)}`;
  throw new EnvironmentError('envcheck.interface-unusable', message);
}

function fromNodeIP(question: NodeAddressQuestion): NodeAddress {
  const addresses = question.nodeIP.split(',').map((part) => validNodeIP(part.trim(), question));
  return { addresses, source: 'node-ip', ...(addresses[0] === undefined ? {} : { address: addresses[0] }) };
}

function validNodeIP(text: string, question: NodeAddressQuestion): string {
  const refuse = (why: string): EnvironmentError =>
    new EnvironmentError('envcheck.node-ip-invalid', `modules.edged.nodeIP is ${JSON.stringify(text.slice(0, 64))}, ${why}; ${available(question)}, or leave nodeIP empty to have it found`);
  const address = canonical(text);
  if (address === undefined) throw refuse('which is no IP address');
  const kind = unusable(address);
  if (kind !== undefined) throw refuse(`which is ${kind} and cannot be a node's`);
  if (!candidates(question).some((local) => local.address === address)) throw refuse('which no interface of this machine has');
  return address;
}

function available(facts: NetworkFacts): string {
  const list = candidates(facts).map((local) => `${local.address} (${local.interface})`);
  return list.length === 0 ? 'this machine has no usable address at present' : `usable here: ${list.slice(0, 10).join(', ')}`;
}

/** No answer, a slow answer and an error are all the same here: the next way of finding an address is tried. */
async function namesOf({ hostname, lookup, lookupLimit = LOOKUP_LIMIT_MS, signal }: NodeAddressQuestion): Promise<readonly string[]> {
  if (canonical(hostname) !== undefined) return [hostname];
  stopIfAborted(signal);
  try {
    const slow = (): Error => new EdgeError('envcheck.lookup-slow', `no answer for ${hostname} within ${lookupLimit} ms`);
    return await withTimeout((async () => lookup(hostname))(), lookupLimit, slow, signal);
  } catch {
    stopIfAborted(signal);
    return [];
  }
}

function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}
