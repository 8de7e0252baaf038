import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparable, fillRow, payloadTable } from './support/payload-table.js';
import { eventually, openScene, type Scene } from './support/scene.js';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene[Symbol.asyncDispose]());

describe('the payload table', () => {
  it.each(payloadTable)('[twin-1.1] $title', async (row) => {
    const id = `ns/dev-${payloadTable.indexOf(row)}`;
    const { before = [], publish, expect: wanted } = fillRow(row, { device: id, node: scene.node });
    await scene.membership({ added: [{ id, name: id.slice(3) }] });
    try {
      for (const one of before) expect(await scene.publish(one.topic, one.payload)).toBe('response');
      const from = scene.published.length;
      expect(await scene.publish(publish.topic, publish.payload)).toBe('response');
      const heard = scene.published.slice(from).filter(({ topic }) => !topic.endsWith('/membership/updated'));
      expect(heard.map(({ topic, payload }) => ({ topic, payload: comparable(payload) }))).toEqual(wanted);
    } finally {
      // One device at a time, so that lists are short.
      await scene.membership({ removed: [{ id }] });
      await eventually(() => !scene.deviceRows().some((device) => device.id === id));
    }
  });
});
