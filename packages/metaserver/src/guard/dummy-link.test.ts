import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { IpCommand } from '@edge/core';
import { DummyLink } from './dummy-link.js';

const run = promisify(execFile);
/** Not the usual one, which this machine may have: what it carries itself needs no link. */
const ADDRESS = '169.254.30.213';
/** A network of its own, so that nothing of the machine's changes. */
const network = `edge-link-${process.pid}`;
const ip: IpCommand = async (...args) => (await run('ip', ['-n', network, ...args])).stdout;
interface Shown {
  readonly flags: readonly string[];
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}
const shown = async (): Promise<Shown | undefined> => (JSON.parse(await ip('-json', 'address', 'show')) as (Shown & { ifname: string })[]).find(({ ifname }) => ifname === 'edge-dummy0');

beforeAll(() => run('ip', ['netns', 'add', network]));
afterAll(() => run('ip', ['netns', 'delete', network]));

it('[metaserver-23.1] makes the link with the address for pods and removes it at the end', async () => {
  const link = new DummyLink({ ip });
  await link.setUp(ADDRESS);
  const made = await shown();
  expect(made?.flags).toContain('UP');
  expect(made?.addr_info).toContainEqual(expect.objectContaining({ local: ADDRESS, prefixlen: 32 }));
  // Again after a port could not be opened.
  await link.setUp(ADDRESS);
  await link.takeDown();
  expect(await shown()).toBeUndefined();
  await link.takeDown();
});

it('[metaserver-23.2] takes a link that is there, such as the Go agent\'s, and leaves it', async () => {
  await ip('link', 'add', 'edge-dummy0', 'type', 'bridge');
  await ip('address', 'add', `${ADDRESS}/32`, 'dev', 'edge-dummy0');
  const link = new DummyLink({ ip });
  await link.setUp(ADDRESS);
  expect((await shown())?.flags).toContain('UP');
  await link.takeDown();
  expect((await shown())?.addr_info).toContainEqual(expect.objectContaining({ local: ADDRESS }));
});

it('[metaserver-23.3] says what is wrong where there is no right to make links, no ip command, or no IP address; makes do with a bridge where there are no dummy links; an address that is there needs nothing', async () => {
  const fails = (message: string): IpCommand => () => Promise.reject(new Error(message));
  const setUp = (command: IpCommand, address = ADDRESS): Promise<void> => new DummyLink({ ip: command }).setUp(address);
  await expect(setUp(fails('RTNETLINK answers: Operation not permitted'))).rejects.toMatchObject({ code: 'metaserver.dummy-link', message: expect.stringMatching(/edge-dummy0 with address 169\.254\.30\.213 cannot be made: .*not permitted/) as unknown });
  const asked: string[] = [];
  const withoutDummies: IpCommand = async (...args) => {
    asked.push(args.join(' '));
    if (args.includes('dummy') || args.includes('show')) throw new Error('Error: Unknown device type.');
    return '';
  };
  await setUp(withoutDummies);
  expect(asked.slice(1, 4)).toEqual(['link add edge-dummy0 type dummy', 'link add edge-dummy0 type bridge', `address replace ${ADDRESS}/32 dev edge-dummy0`]);
  await expect(setUp(fails('spawn ip ENOENT'))).rejects.toThrow(/ENOENT/);
  await expect(setUp(ip, 'metaserver.local')).rejects.toThrow('dummyServer has the host metaserver.local, it must be an IP address');
  await expect(setUp(fails('never asked'), '127.0.0.1')).resolves.toBeUndefined();
});
