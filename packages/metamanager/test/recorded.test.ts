import { readFileSync } from 'node:fs';
import type { Message } from '@edge/protocol';
import { isRoutine, readCapture, subject, type CaptureStep } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { answerNeedsAck } from '../src/decide/acknowledge.js';
import { compareVersions } from '../src/decide/resource-version.js';
import { eventually, openScene } from './scene.js';

const CAPTURES = [
  '01-join-ready-pod',
  '03-configmap-update',
  '04-pod-delete',
  '10-restart-with-certs',
  '13-projected-token',
  '14-cloud-restart-resync',
  '15-link-cut-resync',
];
const read = (name: string): CaptureStep[] => readCapture(readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), 'utf8'));
const isAnswer = (message: Message) => message.header.parentId !== undefined;
const typeOf = (message: Message) => message.route.resource.split('/')[1] ?? '';
const versionOf = (message: Message) => (message.content as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion;

/** Message ids in order, for each object apart: order holds within an object, objects go side by side. */
function perObject(messages: readonly Message[]): Record<string, string[]> {
  const ids: Record<string, string[]> = {};
  for (const { route, header } of messages) (ids[route.resource] ??= []).push(header.id);
  return ids;
}

/** Plays a recording against metamanager: what the Go agent's edged asked is asked again, the cloud says what it said. */
async function play(steps: readonly CaptureStep[]) {
  const answers = new Map(steps.flatMap(({ ...step }) => (step.kind === 'cloud' && isAnswer(step.message) ? [[step.message.header.parentId, step.message] as const] : [])));
  const scene = await openScene({ connected: true });
  const asked = new Map<string, Message>();
  const waiting: Promise<unknown>[] = [];
  for (const step of steps) {
    if (step.kind !== 'edge' && step.kind !== 'cloud') continue;
    const { message } = step;
    const { source, operation, resource } = message.route;
    if (step.kind === 'edge' && source === 'edged' && !isRoutine(message) && answers.has(message.header.id)) {
      const parts = { operation, resource, content: message.content };
      const before = scene.hub.received.length;
      if (operation === 'patch' || operation === 'delete') await scene.tell(parts);
      else waiting.push(scene.ask(parts));
      // What metamanager answers from its database never gets this far.
      await eventually(() => scene.hub.received.slice(before).some((one) => !isAnswer(one) && subject(one) === subject(message)));
      asked.set(message.header.id, scene.hub.received.findLast((one) => !isAnswer(one) && subject(one) === subject(message)) as Message);
    } else if (step.kind === 'cloud') {
      const parent = message.header.parentId;
      const own = parent === undefined ? undefined : asked.get(parent)?.header.id;
      if (parent !== undefined && own === undefined) continue;
      await scene.fromCloud(own === undefined ? message : { ...message, header: { ...message.header, parentId: own } });
    }
  }
  await Promise.all(waiting);
  return { scene, answers };
}

describe.each(CAPTURES)('recorded traffic %s', (name) => {
  const steps = read(name);
  const fromCloud = steps.flatMap((step) => (step.kind === 'cloud' ? [step.message] : []));
  const upstreamAcked = new Set(steps.flatMap((step) => (step.kind === 'edge' && isAnswer(step.message) ? [step.message.header.parentId] : [])));

  it('[metamanager-9.1] is acknowledged as upstream did, but for answers nobody waits for, with the same routes', async () => {
    const { scene } = await play(steps);
    await using _scene = scene;
    const due = fromCloud.filter((message) => (isAnswer(message) ? answerNeedsAck(typeOf(message)) : true) && upstreamAcked.has(message.header.id));
    await eventually(() => scene.acknowledged().length >= due.length);
    expect(scene.acknowledged().sort()).toEqual(due.map(({ header }) => header.id).sort());
    const routeOf = new Map(steps.flatMap((step) => (step.kind === 'edge' && isAnswer(step.message) ? [[step.message.header.parentId, step.message.route] as const] : [])));
    for (const ack of scene.hub.received.filter(isAnswer)) expect(ack.route).toEqual(routeOf.get(ack.header.parentId ?? ''));
  });

  it('[metamanager-9.2] leaves the newest state of every object in the database and passes pods on in order', async () => {
    const { scene } = await play(steps);
    await using _scene = scene;
    const pushes = fromCloud.filter((message) => !isAnswer(message));
    await eventually(() => pushes.every(({ header }) => scene.acknowledged().includes(header.id)));
    const last = new Map(pushes.map((message) => [message.route.resource, message]));
    for (const [resource, message] of last) {
      const stored = scene.objects.value(resource);
      if (message.route.operation === 'delete') expect(stored).toBeUndefined();
      else expect(compareVersions(JSON.parse(stored ?? '{}').metadata?.resourceVersion, versionOf(message))).not.toBe('older');
    }
    const passed = pushes.filter((message) => typeOf(message) !== 'node');
    const patchAnswers = fromCloud.filter((message) => isAnswer(message) && /patch\//.test(message.route.resource));
    await eventually(() => scene.edged.received.length >= passed.length + patchAnswers.length);
    expect(perObject(scene.edged.received.filter((message) => !isAnswer(message)))).toEqual(perObject(passed));
    const heard = scene.edged.received.filter((message) => isAnswer(message) && /patch\//.test(message.route.resource));
    // Parents differ: they are the ids of our questions.
    expect(perObject(heard)).toEqual(perObject(patchAnswers));
    expect(scene.running.letters).toEqual([]);
  });
});
