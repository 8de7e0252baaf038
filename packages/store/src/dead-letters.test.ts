import { EdgeError, type LogFields, type Logger, silentLogger } from '@edge/core';
import { createMessage, decodeMessage } from '@edge/protocol';
import { createMemoryStore } from '@edge/testing';
import { describe, expect, it } from 'vitest';
import { deadLetters, deadLetterTable } from './dead-letters.js';

const message = (resource: string, content: unknown = { a: 1 }) =>
  createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource, content });

describe('dead letters', () => {
  it('[store-10.1] keeps the message whole, with who failed on it, why and when', async () => {
    const store = createMemoryStore();
    const letter = message('default/pod/p1');
    deadLetters(store, { now: () => 1700000000000 }).add('metaManager', letter, new EdgeError('meta.bad-object', 'no name'));
    await store.flush();
    const [row] = store.table(deadLetterTable).all();
    expect(row).toMatchObject({ id: 1, at: 1700000000000, module: 'metaManager', resource: 'default/pod/p1', operation: 'update', error_code: 'meta.bad-object', error: 'no name' });
    expect(decodeMessage(row?.message ?? '')).toEqual(letter);
    expect(row?.size).toBe(row?.message.length);
  });

  it('[store-10.2] keeps the newest when there are too many, also over a restart', async () => {
    const store = createMemoryStore();
    for (let restart = 0; restart < 2; restart++) {
      const letters = deadLetters(store, { limit: 5 });
      for (let index = 0; index < 6; index++) letters.add('m', message(`r${restart}-${index}`), 'why');
    }
    await store.flush();
    expect(store.table(deadLetterTable).all().map((row) => row.resource)).toEqual(['r1-1', 'r1-2', 'r1-3', 'r1-4', 'r1-5']);
  });

  it('[store-10.3] cuts a huge message and tells its size; takes content that is not JSON', async () => {
    const store = createMemoryStore();
    const letters = deadLetters(store);
    letters.add('m', message('huge', 'x'.repeat(1_000_000)), new Error('y'.repeat(100_000)));
    const circle: { self?: unknown } = {};
    circle.self = circle;
    letters.add('m', message('circle', circle), undefined);
    await store.flush();
    const [huge, odd] = store.table(deadLetterTable).all();
    expect([huge?.message.length, huge?.error.length]).toEqual([256 * 1024, 4 * 1024]);
    expect(huge?.size).toBeGreaterThan(1_000_000);
    expect(decodeMessage(odd?.message ?? '').content).toBeNull();
  });

  it('[store-10.4] logs a letter that cannot be written and goes on', async () => {
    const store = createMemoryStore();
    const errors: LogFields[] = [];
    const log: Logger = { ...silentLogger, error: (_message, fields = {}) => void errors.push(fields) };
    const letters = deadLetters(store, { log, limit: 2 });
    store.failNext(new EdgeError('store.disk-full', 'the disk is full'));
    letters.add('m', message('lost'), 'why');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(errors).toEqual([{ module: 'm', resource: 'lost', err: 'the disk is full' }]);
    for (const name of ['a', 'b', 'c']) letters.add('m', message(name), 'why');
    await store.flush();
    expect(store.table(deadLetterTable).all().map((row) => row.resource)).toEqual(['b', 'c']);
  });
});
