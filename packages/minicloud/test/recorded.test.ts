import type { DraftObject, KubeObject } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { joinReady, openCloud, type CloudFixture } from './cloud-fixture.js';
import type { EdgeClient } from './edge-client.js';
import { learnNames, readRecording, type Recorded, shapeOf, translate } from './recorded.js';

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const pushes = (recording: readonly Recorded[], operation: string, resource: string): Message[] =>
  recording.filter((r) => r.toEdge && r.message.header.parentId === undefined).map((r) => r.message)
    .filter((m) => m.route.operation === operation && m.route.resource === resource);

/** Creates an object again that was applied by kubectl in the recording. */
async function applyAgain(fixture: CloudFixture, plural: string, recorded: Message): Promise<KubeObject> {
  const { metadata } = recorded.content as KubeObject;
  const applied = metadata.annotations?.[APPLIED] ?? '';
  const draft = JSON.parse(applied) as DraftObject;
  return fixture.cloud.api.resource('v1', plural).create({ ...draft, metadata: { ...draft.metadata, annotations: { [APPLIED]: applied } } });
}

/** Sends what the agent sent and compares each answer with CloudCore's. */
class Replay {
  readonly names = new Map<string, string>();
  readonly #client: EdgeClient;
  #lease: { metadata: object } | undefined;

  constructor(client: EdgeClient) {
    this.#client = client;
  }

  async run(recording: readonly Recorded[], only: (message: Message) => boolean = () => true): Promise<number> {
    let compared = 0;
    for (const { toEdge, message: question } of recording) {
      if (toEdge || question.header.parentId !== undefined || !only(question)) continue;
      const recorded = recording.find((r) => r.toEdge && r.message.header.parentId === question.header.id)?.message;
      if (!recorded) continue;
      const answer = await this.#client.ask(question.route.operation, question.route.resource, this.#content(question));
      learnNames(recorded.content, answer.content, this.names);
      if (question.route.resource.includes('/lease/')) this.#lease = (answer.content as { Object: { metadata: object } | null }).Object ?? this.#lease;
      expect({ asked: question.route, ...shapeOf(answer) }).toEqual({ asked: question.route, ...shapeOf(recorded) });
      compared += 1;
    }
    return compared;
  }

  /** A lease is sent back as it was received last. */
  #content(question: Message): unknown {
    const content = translate(question.content, this.names);
    const isRenewal = question.route.operation === 'update' && question.route.resource.includes('/lease/');
    return isRenewal && this.#lease ? { ...(content as object), metadata: this.#lease.metadata } : content;
  }
}

describe('recorded conversations with CloudCore v1.23.1', () => {
  it('[minicloud-4.1] join, ready, a pod with ConfigMap and Secret, its end: every answer and push has the recorded form', async () => {
    await using fixture = await openCloud();
    const client = await fixture.connect('edge-go');
    const replay = new Replay(client);
    const joined = readRecording('01-join-ready-pod');
    const podAt = joined.findIndex((r) => r.message.route.resource === 'default/pod/p1');
    expect(await replay.run(joined.slice(0, podAt))).toBeGreaterThan(5);
    const nodes = await client.waitForPush('update', 'null/node/edge-go');
    expect(shapeOf(nodes)).toEqual(shapeOf(pushes(joined, 'update', 'null/node/edge-go')[0]!));
    await client.until(() => client.received.some((m) => m.route.operation === 'update' && JSON.stringify((m.content as KubeObject)['spec']) === '{}'));

    const answerOf = (resource: string): Message => joined.find((r) => r.toEdge && r.message.route.resource === resource)!.message;
    await applyAgain(fixture, 'configmaps', answerOf('default/configmap/cm1'));
    await applyAgain(fixture, 'secrets', answerOf('default/secret/sec1'));
    const inserted = pushes(joined, 'insert', 'default/pod/p1')[0]!;
    await applyAgain(fixture, 'pods', inserted);
    const insert = await client.waitForPush('insert', 'default/pod/p1');
    learnNames(inserted.content, insert.content, replay.names);
    expect(shapeOf(insert)).toEqual(shapeOf(inserted));
    expect(await replay.run(joined.slice(podAt))).toBeGreaterThan(10);

    const deletion = readRecording('04-pod-delete');
    await fixture.cloud.api.resource('v1', 'pods').delete('p1', 'default');
    const marked = await client.waitForPush('update', 'default/pod/p1');
    expect(Object.keys((marked.content as KubeObject).metadata)).toEqual(expect.arrayContaining(['deletionTimestamp', 'deletionGracePeriodSeconds']));
    expect(await replay.run(deletion, (m) => m.route.resource !== 'default/pod/p1')).toBeGreaterThan(3);
    const gone = deletion.filter((r) => !r.toEdge && r.message.route.operation === 'delete');
    expect(await replay.run([...gone, ...deletion.filter((r) => r.toEdge)])).toBe(1);
    const deleted = await client.waitForPush('delete', 'default/pod/p1');
    expect(shapeOf(deleted)).toEqual(shapeOf(pushes(deletion, 'delete', 'default/pod/p1')[0]!));
  });

  it('[minicloud-4.2] a changed ConfigMap goes to the nodes whose pods use it, and to no other', async () => {
    await using fixture = await openCloud();
    const [user, other] = [await joinReady(fixture, 'edge-go'), await joinReady(fixture, 'other')];
    const recorded = pushes(readRecording('03-configmap-update'), 'update', 'default/configmap/cm1')[0]!;
    const configMaps = fixture.cloud.api.resource('v1', 'configmaps');
    await configMaps.create({ metadata: { name: 'cm1', namespace: 'default' }, data: {} });
    await applyAgain(fixture, 'pods', pushes(readRecording('01-join-ready-pod'), 'insert', 'default/pod/p1')[0]!);
    await user.waitForPush('insert', 'default/pod/p1');
    await configMaps.modify('cm1', 'default', (copy) => {
      const { metadata, data } = recorded.content as KubeObject;
      copy.metadata.annotations = metadata.annotations ?? {};
      copy['data'] = data;
    });
    expect(shapeOf(await user.waitForPush('update', 'default/configmap/cm1'))).toEqual(shapeOf(recorded));
    expect(other.received.filter((m) => m.route.resource.includes('configmap'))).toEqual([]);
  });

  it('[minicloud-4.3] an agent that starts again gets the recorded refusal, and its node and pods once more', async () => {
    await using fixture = await openCloud();
    const first = await joinReady(fixture, 'edge-go');
    await fixture.cloud.api.resource('v1', 'pods').create({ metadata: { name: 'p', namespace: 'default' }, spec: { nodeName: 'edge-go', containers: [{ name: 'c', image: 'i' }] } });
    await first.waitForPush('insert', 'default/pod/p');
    first.close();
    const second = await fixture.connect('edge-go');
    const restart = readRecording('10-restart-with-certs');
    expect(await new Replay(second).run(restart, (m) => m.route.resource === 'null/node/edge-go')).toBe(1);
    await second.waitForPush('update', 'null/node/edge-go');
    await second.waitForPush('update', 'default/pod/p');
  });

  it('[minicloud-4.4] a projected token and the API\'s authority, and the pod behind them', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'edge-node');
    const recording = readRecording('13-projected-token');
    const inserted = pushes(recording, 'insert', 'default/pod/tok')[0]!;
    await applyAgain(fixture, 'pods', inserted);
    const insert = await client.waitForPush('insert', 'default/pod/tok');
    expect(shapeOf(insert)).toEqual(shapeOf(inserted));
    const replay = new Replay(client);
    learnNames(inserted.content, insert.content, replay.names);
    expect(await replay.run(recording, (m) => m.route.resource.includes('serviceaccounttoken'))).toBe(1);
    const authority = await client.ask('query', 'default/configmap/kube-root-ca.crt');
    expect((authority.content as { data: Record<string, string> }).data['ca.crt']).toContain('BEGIN CERTIFICATE');
  });

  it('[minicloud-4.5] pods of a Deployment come as the recorded updates, scheduled and owned', async () => {
    await using fixture = await openCloud();
    const client = await joinReady(fixture, 'edge-node');
    const recorded = readRecording('12-deployment').find((r) => r.toEdge && r.message.route.operation === 'update')!.message;
    const { spec } = recorded.content as unknown as { spec: { containers: object[] } };
    await fixture.cloud.api.resource('apps/v1', 'deployments').create({
      metadata: { name: 'web', namespace: 'default' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: spec.containers, terminationGracePeriodSeconds: 1 } } },
    });
    const isWeb = (m: Message): boolean => m.route.operation === 'update' && m.route.resource.startsWith('default/pod/web-');
    await client.until(() => new Set(client.received.filter(isWeb).map((m) => m.route.resource)).size === 2);
    const rename = (message: Message): object =>
      JSON.parse(JSON.stringify(shapeOf(message)).replace(/web-[a-z0-9]+(-[a-z0-9]{5})?/g, 'web-x').replace(/"pod-template-hash":"[a-z0-9]+"/g, '"pod-template-hash":"h"')) as object;
    expect(rename(client.received.find(isWeb)!)).toEqual(rename(recorded));
    expect(client.received.some((m) => m.route.operation === 'insert' && m.route.resource.includes('/pod/'))).toBe(false);
  });

  it('[minicloud-4.6] what a node missed comes right after it is back, as updates', async () => {
    await using fixture = await openCloud();
    const first = await joinReady(fixture, 'edge-node');
    const pods = fixture.cloud.api.resource('v1', 'pods');
    const spec = { nodeName: 'edge-node', containers: [{ name: 'c', image: 'i' }] };
    await pods.create({ metadata: { name: 'tok', namespace: 'default' }, spec });
    await pods.create({ metadata: { name: 'gone', namespace: 'default' }, spec });
    await first.waitForPush('insert', 'default/pod/gone');
    await first.until(() => (fixture.cloud.hub.sessions[0]?.unacknowledged ?? 1) === 0);
    first.close();
    await first.until(() => fixture.cloud.hub.sessions.length === 0);
    await pods.delete('tok', 'default');
    await pods.delete('gone', 'default', { gracePeriodSeconds: 0 });
    await pods.create({ metadata: { name: 'new', namespace: 'default' }, spec });

    const second = await fixture.connect('edge-node');
    const recorded = readRecording('15-link-cut-resync').filter((r) => r.toEdge && r.message.header.parentId === undefined).slice(0, 2).map((r) => r.message);
    const missed = await second.waitForPush('update', 'default/pod/new');
    const ending = await second.waitForPush('update', 'default/pod/tok');
    for (const [mine, theirs] of [[missed, recorded[0]!], [ending, recorded[1]!]] as const) {
      expect(Object.keys(mine.header).sort()).toEqual(Object.keys(theirs.header).sort());
      expect({ ...mine.route, resource: '' }).toEqual({ ...theirs.route, resource: '' });
    }
    expect((ending.content as KubeObject).metadata.deletionTimestamp).toBeDefined();
    const stub = await second.waitForPush('delete', 'default/pod/gone');
    expect(Object.keys(stub.content as object)).toEqual(['metadata']);
  });
});
