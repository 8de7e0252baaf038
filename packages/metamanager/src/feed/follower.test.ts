import type { Logger, MessageBus } from '@edge/core';
import type { Message } from '@edge/protocol';
import { expect, it } from 'vitest';
import { FeedFollower, type FeedContent } from './follower.js';
import type { ShownObjects } from './shown-objects.js';

it('[metamanager-11.10] a change is told at whatever moment of the message before it comes', async () => {
  for (let moment = 0; moment < 20; moment += 1) {
    const told: string[] = [];
    const bus = { send: (_to: unknown, { content }: Message) => Promise.resolve(void told.push(...(content as FeedContent).items.map(({ key }) => key))) } as unknown as MessageBus;
    const shown = { all: () => [], item: (key: string) => ({ key, object: undefined }) } as unknown as ShownObjects;
    const follower = new FeedFollower({ module: 'edgemesh', epoch: 'e', shown, bus, log: {} as Logger });
    follower.follow([]);
    follower.mark(new Set(['a']));
    for (let turn = 0; turn < moment; turn += 1) await Promise.resolve();
    follower.mark(new Set(['b']));
    await new Promise((resolve) => setImmediate(resolve));
    expect([moment, told]).toEqual([moment, ['a', 'b']]);
  }
});
