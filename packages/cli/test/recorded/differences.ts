import { Operations, strategicMerge, type Pod } from '@edge/protocol';
import { withoutUnknown } from './cloud-rest.js';
import type { Contents, Difference, OwnMessage, PairedMessages } from './difference.js';
import { containerStates } from './pairing.js';
import { lookUp, typeOf, without, words } from './recordings.js';
import { comparable, withoutNulls } from './texts.js';

const AWAITED_ACKS = ['configmap', 'secret', 'persistentvolume', 'persistentvolumeclaim', 'volumeattachment'];

/** All differences. A test fails when one of them is not seen any more. */
export const differences: readonly Difference[] = [
  {
    name: 'no-question-for-members',
    where: 'upstream: `get membership/detail` after each connect',
    why: 'the cloud drops it without an answer; which devices are members follows from the Device objects',
    omits: ({ message }) => message.route.source === 'twin' && message.route.resource === 'membership/detail',
  },
  {
    name: 'nothing-that-is-dropped-twice',
    where: 'upstream: a `podpatch` every 10 s for each pod',
    why: 'an API server older than the kubelet drops `hostIPs` and `volumeMounts`; upstream sends them for ever, this agent once',
    omits: ({ message, pod }) => typeOf(message) === 'podpatch' && pod !== undefined && changesNothing(pod, message.content),
  },
  {
    name: 'no-empty-patch',
    where: 'upstream: `nodepatch` with the content `{}` after the registration',
    why: 'it changes nothing',
    omits: ({ message }) => typeOf(message) === 'nodepatch' && message.content === '{}',
  },
  {
    name: 'acknowledges-what-the-cloud-waits-for',
    where: 'upstream: acknowledgements of answers about leases, nodes and tokens',
    why: 'the cloud waits for acknowledgements of pushes and of answers about ConfigMaps, Secrets and volumes alone',
    omits: ({ answered }) => answered?.header.parentId !== undefined && !AWAITED_ACKS.includes(typeOf(answered)),
  },
  {
    name: 'lease-read-once',
    where: 'upstream: `query` of the lease again 10 s after the first one found nothing, and after each connect',
    why: 'the lease is made as soon as the node is registered, and what the last answer said is not forgotten with the link',
    omits: ({ message, leaseKnown }) => typeOf(message) === 'lease' && message.route.operation === Operations.query && leaseKnown,
  },
  {
    name: 'own-clock',
    where: 'lease renewals and keepalives: as many as the time gives',
    why: 'when a period begins and its jitter are each agent\'s own; the periods are upstream\'s',
    repeats: (message) => message.route.operation === Operations.keepalive || (typeOf(message) === 'lease' && message.route.operation === Operations.update),
  },
  {
    name: 'compares-after-each-connect',
    where: 'ours: `query` of ConfigMaps and Secrets in use, once in each session, with the acknowledgement of the answer',
    why: 'changes that were made while the node was away are not always sent by the cloud',
    adds: ({ message, answered, saidBefore, firstInSession }) =>
      saidBefore &&
      ['configmap', 'secret'].includes(typeOf(message)) &&
      (message.route.operation === Operations.query ? firstInSession : answered?.header.parentId !== undefined),
  },
  {
    name: 'reports-at-each-connect',
    where: 'ours: one `nodepatch` at the beginning of each session',
    why: 'the cloud has turned Ready to Unknown meanwhile; upstream waits for the next report, up to 5 minutes',
    adds: ({ message, session, firstInSession }) => typeOf(message) === 'nodepatch' && session > 1 && firstInSession,
  },
  {
    name: 'says-ready-again',
    where: 'ours: one `podpatch` with the condition Ready for each pod after an outage longer than three quarters of the lease',
    why: 'the cloud takes Ready away from the pods of a silent node and does not always tell it; upstream never puts that right',
    // Of a pod that came during the outage its first status may go out just before.
    adds: ({ message, session, firstInSession, rivals }) => typeOf(message) === 'podpatch' && session > 1 && (firstInSession || rivals.length > 0) && saysReadyAlone(message.content),
  },
  {
    name: 'restates-conditions',
    where: 'ours: the first `nodepatch` of a session names all members of the conditions, upstream\'s the heartbeats alone',
    why: 'what others did to the conditions while the link was down is not known here; repeating ours puts it right',
    rewrites: (contents, { ours }) => (typeOf(ours.message) === 'nodepatch' && ours.session > 1 && ours.firstInSession ? heartbeatsAlone(contents) : contents),
  },
  {
    name: 'states-are-not-held-back',
    where: 'ours: a `podpatch` with ContainerCreating right after a reconnect, one with a container that runs and is not ready yet, and later ones that start from them',
    why: 'upstream sends no status for up to a minute when the answer to an earlier one was lost with the link, and then all at once',
    adds: neverHeldBack,
    rewrites: (contents, pair) => (typeOf(pair.ours.message) === 'podpatch' && pair.added.length > 0 ? effects(contents, pair) : contents),
  },
  {
    name: 'small-lease',
    where: 'upstream: renewals repeat the whole lease that was received',
    why: 'the managed fields are two thirds of it; an update without them leaves them as they are',
    rewrites: (contents, { ours }) =>
      typeOf(ours.message) === 'lease' && ours.message.route.operation === Operations.update
        ? { ...contents, upstream: without(contents.upstream, 'kind', 'apiVersion', 'metadata.managedFields', 'metadata.uid', 'metadata.creationTimestamp') }
        : contents,
  },
  {
    name: 'versions',
    where: '`nodeInfo.kubeletVersion` and `kubeProxyVersion` of the registered node',
    why: 'the recorded agent was built without version stamps; there is no kube-proxy on the node',
    rewrites: (contents, { ours }) =>
      isRegistration(ours.message)
        ? {
            upstream: words(contents.upstream, { 'status.nodeInfo.kubeletVersion': [/-kubeedge-.*$/, '-kubeedge-<agent>'], 'status.nodeInfo.kubeProxyVersion': [/^v0.0.0-master.*$/, ''] }),
            ours: words(contents.ours, { 'status.nodeInfo.kubeletVersion': [/-kubeedge-v\d+\.\d+\.\d+$/, '-kubeedge-<agent>'] }),
          }
        : contents,
  },
  {
    name: 'why-not-ready',
    where: 'the message of the condition Ready of a node that registers before it is ready',
    why: 'this agent has no CSINode to wait for; it is the runtime that is not ready',
    rewrites: (contents, { ours }) => (isRegistration(ours.message) ? reasonAside(contents) : contents),
  },
];

/** The contents with a word for why the node is not ready, if upstream's is not. */
function reasonAside(contents: Contents): Contents {
  if (lookUp(contents.upstream, 'status.conditions.3.status') !== 'False') return contents;
  return {
    upstream: words(contents.upstream, { 'status.conditions.3.message': [/^CSINode is not yet initialized$/, '<why>'] }),
    ours: words(contents.ours, { 'status.conditions.3.message': [/^container runtime status not ready: .*$/, '<why>'] }),
  };
}

/** True when an API server that knows the pod so and drops what it does not know is left with the same. */
function changesNothing(pod: Pod, patchText: unknown): boolean {
  if (typeof patchText !== 'string') return false;
  return comparable(withoutUnknown(strategicMerge(pod, JSON.parse(patchText) as object))) === comparable(withoutUnknown(pod));
}

/** The conditions of ours without what upstream's patch does not restate. */
function heartbeatsAlone({ upstream, ours }: Contents): Contents {
  type Patch = { status?: { conditions?: { type: string; status?: string }[] } };
  if (typeof upstream !== 'string' || typeof ours !== 'string') return { upstream, ours };
  const recorded = (JSON.parse(upstream) as Patch).status?.conditions ?? [];
  // A change of status is not restating.
  if (recorded.some(({ status }) => status !== undefined)) return { upstream, ours };
  const patch = JSON.parse(ours) as Patch;
  const conditions = patch.status?.conditions?.map((one) => without(one, 'status', 'reason', 'message', 'lastTransitionTime'));
  return { upstream, ours: JSON.stringify({ ...patch, status: { ...patch.status, conditions } }) };
}

/** What the patches make of the pod, instead of the patches. */
function effects({ upstream, ours }: Contents, pair: PairedMessages): Contents {
  const { pod } = pair.upstream;
  if (!pod || typeof upstream !== 'string' || typeof ours !== 'string' || comparable(upstream) === comparable(ours)) return { upstream, ours };
  const after = (...patches: unknown[]): string =>
    JSON.stringify(withoutNulls(patches.reduce<Pod>((known, patch) => strategicMerge(known, JSON.parse(patch as string) as object), pod).status));
  return { upstream: after(upstream), ours: after(...pair.added.map(({ content }) => content), ours) };
}

/** True for a patch that says in full that a pod is ready, and nothing else that an API server does not know already. */
function saysReadyAlone(patchText: unknown): boolean {
  if (typeof patchText !== 'string') return false;
  const { status = {} } = JSON.parse(patchText) as { status?: Record<string, unknown> };
  const { conditions } = status as { conditions?: { type: string; status?: string }[] };
  const others = Object.keys(status).filter((key) => !['$setElementOrder/conditions', 'conditions', 'hostIPs', 'containerStatuses'].includes(key));
  return others.length === 0 && conditions?.length === 1 && conditions[0]?.type === 'Ready' && conditions[0].status !== undefined;
}

function isRegistration(message: { route: { operation: string; resource: string } }): boolean {
  return message.route.operation === Operations.insert && message.route.resource.startsWith('null/node/');
}

/** A status that upstream would have sent much later, together with the next. */
function neverHeldBack({ message, rivals, firstInSession }: OwnMessage): boolean {
  if (typeOf(message) !== 'podpatch' || rivals.length === 0) return false;
  const states = containerStates(message);
  if (firstInSession && states.includes('waiting')) return !rivals.some((rival) => containerStates(rival).includes('waiting'));
  return /running(;|$)/.test(states) && !rivals.some((rival) => containerStates(rival) === states);
}
