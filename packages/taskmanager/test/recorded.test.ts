import { readFileSync } from 'node:fs';
import { encodeMessage, type ActionStatus, type Message } from '@edge/protocol';
import { readCapture } from '@edge/testing';
import { expect, it } from 'vitest';
import { Node } from './scene.js';

function recording(name: string): { orders: Message[]; reports: { message: Message; text: string }[] } {
  const steps = readCapture(readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), 'utf8'));
  return {
    orders: steps.flatMap((step) => (step.kind === 'cloud' ? [step.message] : [])),
    reports: steps.flatMap((step) => (step.kind === 'edge' ? [{ message: step.message, text: step.text }] : [])),
  };
}

/** The frame that ours would be with the id, the times and, where it says so, the reason of the recorded one. */
function frame(ours: Message, recorded: Message, others: Partial<ActionStatus> = {}): string {
  const status = ours.content as ActionStatus;
  const { finishTime } = recorded.content as ActionStatus;
  const content = { ...status, finishTime: status.finishTime === '' ? '' : finishTime, ...others };
  return encodeMessage({ ...ours, header: { ...ours.header, id: recorded.header.id, timestamp: recorded.header.timestamp }, content });
}

it('[taskmanager-1.1] an image pre-pull is reported as the Go agent did, byte for byte', async () => {
  const { orders, reports } = recording('08-image-prepull');
  const node = new Node();
  await using agent = await node.start();
  for (const order of orders) await agent.send(order);
  await agent.action('Pull', 'pp1');
  expect(node.pulls).toEqual([{ image: 'docker.io/library/busybox:1.35' }]);
  expect(node.reports.map((ours, index) => frame(ours, reports[index]?.message as Message))).toEqual(reports.map(({ text }) => text));
  for (const { content } of node.reports) expect((content as ActionStatus).finishTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

it('[taskmanager-1.2] an upgrade without an image and a configuration that cannot be backed up are reported as the Go agent did, byte for byte but for one reason', async () => {
  const { orders, reports } = recording('17-node-jobs');
  const node = new Node();
  const reasonOf = (action: string): string => reports.map(({ message }) => message.content as ActionStatus).find((status) => status.action === action && !status.succ)?.reason ?? '';
  node.installation.failures.backUp = reasonOf('BackUp');
  await using agent = await node.start();
  for (const order of orders) await agent.send(order);
  await Promise.all([agent.action('Check', 'up1'), agent.action('BackUp', 'cu1')]);
  const by = (messages: readonly Message[], job: string): Message[] => messages.filter(({ route }) => route.resource.includes(`/${job}/`));
  for (const job of ['up1', 'cu1']) {
    const recorded = reports.filter(({ message }) => message.route.resource.includes(`/${job}/`));
    const ours = by(node.reports, job);
    // Upstream fails because there is no such image; here no image is pulled, its name is refused.
    const others = job === 'up1' ? { reason: reasonOf('Check') } : {};
    expect(ours.map((message, index) => frame(message, recorded[index]?.message as Message, others))).toEqual(recorded.map(({ text }) => text));
  }
  expect((by(node.reports, 'up1')[0]?.content as ActionStatus).reason).toContain('image ":v1.23.2" has an invalid reference format');
  expect(node.installation.orders).toEqual([]);
  expect(node.records).toEqual([]);
});
