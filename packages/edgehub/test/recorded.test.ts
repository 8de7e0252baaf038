import { readFileSync } from 'node:fs';
import { createResponse, encodeMessage, type Message } from '@edge/protocol';
import { createTestCa, isRoutine, playRecordedCloud, readCapture, type PlayedModule } from '@edge/testing';
import { expect, it } from 'vitest';
import { scene } from './scene.js';

const NODES: Readonly<Record<string, string>> = { '01-join-ready-pod': 'edge-go', '10-restart-with-certs': 'edge-go', '14-cloud-restart-resync': 'edge-node', '15-link-cut-resync': 'edge-node' };

for (const [name, node] of Object.entries(NODES)) {
  it(`[edgehub-2.20] carries the recorded traffic of ${name} byte for byte`, async () => {
    const steps = readCapture(readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), 'utf8'));
    const ca = await createTestCa();
    await using cloud = await playRecordedCloud({ ca, captures: [steps], patienceMs: 500 });
    const meta: { played?: PlayedModule } = {};
    await using place = await scene({
      hubPort: Number(cloud.address.split(':')[1]),
      pair: { ca, node },
      node,
      neighbours: (bus) => {
        meta.played = bus.play('metamanager', 'meta', (message) => {
          // As metamanager does after its commit.
          if (message.header.parentId === undefined && message.route.operation !== 'connect') void bus.bus.send({ group: 'hub' }, createResponse(message, 'OK'));
        });
      },
    });
    await using running = await place.run();
    // The cloud sees the handshake before the agent knows of the link, and until then questions go nowhere.
    await expect.poll(() => running.lines.some(({ message }) => message === 'the link to the cloud is open'), { timeout: 20_000 }).toBe(true);
    expect(cloud.handshakes.length).toBe(1);
    const open = steps.find((step) => step.kind === 'open');
    if (open?.kind === 'open') {
      expect(cloud.handshakes[0]?.url).toBe(open.url);
      const stable = ({ host: _host, 'sec-websocket-key': _key, ...rest }: Readonly<Record<string, unknown>>): unknown => rest;
      expect(stable(cloud.handshakes[0]?.headers ?? {})).toEqual(stable(open.headers));
    }
    const spoken = steps.flatMap((step) => (step.kind === 'edge' && !isRoutine(step.message) && step.message.header.parentId === undefined ? [step] : []));
    const answered = new Set(steps.flatMap((step) => (step.kind === 'cloud' && step.message.header.parentId !== undefined ? [step.message.header.parentId] : [])));
    const resent = new Set<string>();
    for (const { message } of spoken) {
      // Upstream repeated some questions with the same id; here the first one is answered.
      if (resent.has(message.header.id)) continue;
      resent.add(message.header.id);
      const durable = message.route.operation === 'patch' || message.route.operation === 'delete';
      if (!answered.has(message.header.id) || durable) await running.bus.bus.send({ group: 'hub' }, message);
      else expect((await running.bus.bus.request({ group: 'hub' }, message, { timeoutMs: 20_000 })).header.parentId).toBe(message.header.id);
      // A newer patch of the same object would replace one that is not answered yet.
      if (durable && answered.has(message.header.id)) await meta.played?.next(({ header }) => header.parentId === message.header.id);
    }
    const heard = (): Message[] => cloud.heard.map(({ message }) => message).filter((message) => !isRoutine(message) && message.header.parentId === undefined);
    await expect.poll(() => heard().length, { timeout: 20_000 }).toBe(resent.size);
    const text = new Map(spoken.map((step) => [step.message.header.id, step.text]));
    for (const message of heard()) expect(encodeMessage(message)).toBe(text.get(message.header.id));

    // Acknowledgements of pushes: route and content are those that upstream sent.
    await cloud.played(10_000);
    const acks = new Map(cloud.heard.flatMap(({ message }) => (message.header.parentId === undefined ? [] : [[message.header.parentId, message] as const])));
    for (const step of steps) {
      if (step.kind !== 'edge' || step.message.header.parentId === undefined || !cloud.pushed.includes(step.message.header.parentId)) continue;
      expect(acks.get(step.message.header.parentId)).toMatchObject({ route: step.message.route, content: step.message.content });
    }
  }, 60_000);
}
