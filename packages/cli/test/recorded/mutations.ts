import { randomUUID } from 'node:crypto';
import { createMessage, encodeMessage, type Message } from '@edge/protocol';
import { subject, type Heard } from '@edge/testing';
import { typeOf, without } from './recordings.js';

/** A fault of an agent, put into what a faultless one said, and the words with which the comparison has to name it. */
export interface Mutation {
  readonly what: string;
  readonly change: (heard: readonly Heard[]) => readonly Heard[];
  readonly problem: RegExp;
}

type Pick = (message: Message) => boolean;
type Tree = Record<string, unknown>;

const about = (text: string): Pick => (message) => message.header.parentId === undefined && subject(message) === text;
const ackAbout = (resource: string): Pick => ({ header, route }) => header.parentId !== undefined && route.resource === resource;
const withState = (text: string, state: string): Pick => (message) => about(text)(message) && JSON.stringify(message.content).includes(`\\"${state}\\":{`);

const P1 = 'patch default/podpatch/p1';
const NODE = 'insert null/node/edge-go';
const NODE_PATCH = 'patch null/nodepatch/edge-go';

export const mutations: { readonly life: readonly Mutation[]; readonly outages: readonly Mutation[] } = {
  life: [
    { what: 'an acknowledgement that is an error', change: altered(ackAbout('default/pod/p1'), (m) => rerouted(m, { operation: 'error' })), problem: /default\/pod\/p1: the route differs/ },
    { what: 'an acknowledgement of another group', change: altered(ackAbout('null/node/edge-go'), (m) => rerouted(m, { group: 'meta' })), problem: /the route differs:\n.*resource/ },
    { what: 'an acknowledgement with another content', change: altered(ackAbout('default/pod/p1'), (m) => ({ ...m, content: 'ok' })), problem: /the content differs:\nupstream "OK"/ },
    { what: 'an acknowledgement that is missing', change: dropped(ackAbout('default/secret/sec1')), problem: /not acknowledged: response default\/secret\/sec1/ },
    { what: 'an acknowledgement sent twice', change: repeated(ackAbout('default/pod/p1')), problem: /upstream did not acknowledge this, or once/ },
    { what: 'an acknowledgement of nothing', change: altered(ackAbout('default/pod/p1'), (m) => ({ ...m, header: { ...m.header, parentId: randomUUID() } })), problem: /acknowledges what was never sent/ },
    { what: 'a node without its annotation', change: altered(about(NODE), (m) => ({ ...m, content: without(m.content, 'metadata.annotations') })), problem: /insert null\/node.*the content differs/ },
    { what: 'a node without a fact about the machine', change: altered(about(NODE), (m) => ({ ...m, content: without(m.content, 'status.nodeInfo.bootID') })), problem: /upstream "bootID": "<bootID>"/ },
    { what: 'a quantity in another form', change: altered(about(NODE), (m) => textually(m, /"memory":"\d+Ki"/g, '"memory":"24 GB"')), problem: /ours "memory": "24 GB"/ },
    { what: 'a node that is ready for another reason', change: altered(about(NODE), (m) => textually(m, /container runtime status not ready/, 'no idea')), problem: /ours "message": "no idea/ },
    { what: 'a condition that is missing in the patch to Ready', change: altered(about(NODE_PATCH), (m) => edited(m, 'conditions', (list) => list.slice(1))), problem: /nodepatch\/edge-go: the content differs/ },
    { what: 'conditions in another order', change: altered(about(NODE_PATCH), (m) => edited(m, '$setElementOrder/conditions', (list) => [...list].reverse())), problem: /the same lines in another order or number/ },
    { what: 'a lease for another time', change: altered(about('update kube-node-lease/lease/edge-go'), (m) => textually(m, /"leaseDurationSeconds":40/, '"leaseDurationSeconds":60')), problem: /ours "leaseDurationSeconds": 60/ },
    { what: 'a lease without its owner', change: altered(about('insert kube-node-lease/lease/edge-go'), (m) => ({ ...m, content: without(m.content, 'metadata.ownerReferences') })), problem: /upstream "ownerReferences"/ },
    { what: 'a lease that is larger than upstream\'s', change: altered(about('update kube-node-lease/lease/edge-go'), (m) => ({ ...m, content: { ...(m.content as Tree), kind: 'Lease' } })), problem: /ours "kind": "Lease"/ },
    { what: 'a running pod without its address', change: altered(withState(P1, 'running'), (m) => patched(m, (status) => without(status, 'podIP') as Tree)), problem: /upstream "podIP": "10.88.7.7"/ },
    { what: 'another exit code', change: altered(withState(P1, 'terminated'), (m) => textually(m, /exitCode\\":137/, 'exitCode\\":0')), problem: /upstream "exitCode": 137/ },
    { what: 'a status patch that is not a text', change: altered(about(NODE_PATCH), (m) => ({ ...m, content: JSON.parse(m.content as string) as unknown })), problem: /content is object, upstream's string/ },
    { what: 'a state that is not reported', change: dropped(withState(P1, 'waiting')), problem: /not sent: patch default\/podpatch\/p1/ },
    { what: 'a patch sent as another operation', change: altered(about(P1), (m) => rerouted(m, { operation: 'update' })), problem: /update default\/podpatch\/p1: upstream did not send this/ },
    { what: 'a deletion of whatever pod has the name', change: altered(about('delete default/pod/p1'), (m) => ({ ...m, content: without(m.content, 'preconditions') })), problem: /upstream "preconditions"/ },
    { what: 'a deletion before the pod has ended', change: movedFirst(about('delete default/pod/p1')), problem: /delete default\/pod\/p1: sent later|podpatch\/p1: sent later/ },
    { what: 'a Secret that is not asked for', change: dropped(about('query default/secret/sec1')), problem: /not sent: query default\/secret\/sec1/ },
    { what: 'a message of our own invention', change: (heard) => [...heard, invented(heard)], problem: /get default\/pod\/p1: upstream did not send this/ },
    { what: 'a member of the header that upstream does not send', change: altered(about(NODE), (m) => ({ ...m, header: { ...m.header, sync: true } })), problem: /the envelope has another form: header msg_id timestamp sync/ },
    { what: 'a message id used twice', change: (heard) => sameIds(heard), problem: /the message id was used before/ },
  ],
  outages: [
    { what: 'a token asked for without the pod it is bound to', change: altered((m) => typeOf(m) === 'serviceaccounttoken', (m) => ({ ...m, content: without(m.content, 'spec.boundObjectRef') })), problem: /upstream "boundObjectRef"/ },
    { what: 'a state in the end that is not upstream\'s', change: altered(withState('patch default/podpatch/web-59bc799bd9-4f88n', 'running'), (m) => patched(m, (status) => ({ ...status, podIP: '10.0.0.1' }))), problem: /ours "podIP": "10.0.0.1"/ },
    { what: 'a report after the connect that is sent twice', change: repeated((m) => typeOf(m) === 'nodepatch'), problem: /nodepatch\/edge-node: upstream did not send this/ },
    { what: 'a ConfigMap asked for again and again', change: repeated(about('query default/configmap/kube-root-ca.crt')), problem: /query default\/configmap\/kube-root-ca.crt: upstream did not send this/ },
    { what: 'a pod whose end is not acknowledged', change: dropped(ackAbout('default/pod/tok')), problem: /not acknowledged: (insert|update|delete) default\/pod\/tok/ },
  ],
};

function altered(pick: Pick, change: (message: Message) => Message): Mutation['change'] {
  return (heard) => heard.map((one) => (one.capture >= 0 && pick(one.message) ? spoken(one, change(one.message)) : one));
}

function dropped(pick: Pick): Mutation['change'] {
  return (heard) => heard.filter((one) => one.capture < 0 || !pick(one.message));
}

/** All of them are sent a second time, with ids of their own. */
function repeated(pick: Pick): Mutation['change'] {
  return (heard) => heard.flatMap((one) => (one.capture >= 0 && pick(one.message) ? [one, spoken(one, { ...one.message, header: { ...one.message.header, id: randomUUID() } })] : [one]));
}

function movedFirst(pick: Pick): Mutation['change'] {
  return (heard) => {
    const moved = heard.filter((one) => pick(one.message));
    const { capture } = moved[0] as Heard;
    const rest = heard.filter((one) => !pick(one.message));
    const at = rest.findIndex((one) => one.capture === capture);
    return [...rest.slice(0, at), ...moved, ...rest.slice(at)];
  };
}

function sameIds(heard: readonly Heard[]): readonly Heard[] {
  const [first] = heard;
  return heard.map((one) => (first && typeOf(one.message) === 'secret' && one.message.header.parentId === undefined ? spoken(one, { ...one.message, header: { ...one.message.header, id: first.message.header.id } }) : one));
}

function invented(heard: readonly Heard[]): Heard {
  const message = createMessage({ source: 'edged', group: 'meta', operation: 'get', resource: 'default/pod/p1' });
  return spoken(heard.at(-1) as Heard, message);
}

function spoken(one: Heard, message: Message): Heard {
  return { ...one, message, text: encodeMessage(message) };
}

function rerouted(message: Message, route: Partial<Message['route']>): Message {
  return { ...message, route: { ...message.route, ...route } };
}

function textually(message: Message, pattern: RegExp, text: string): Message {
  return { ...message, content: JSON.parse(JSON.stringify(message.content).replace(pattern, text)) as unknown };
}

function patched(message: Message, change: (status: Tree) => Tree): Message {
  const patch = JSON.parse(message.content as string) as { status: Tree };
  return { ...message, content: JSON.stringify({ ...patch, status: change(patch.status) }) };
}

function edited(message: Message, member: string, change: (list: readonly unknown[]) => readonly unknown[]): Message {
  return patched(message, (status) => ({ ...status, [member]: change(status[member] as readonly unknown[]) }));
}
