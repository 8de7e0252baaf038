import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lapseText, nftText, removeText, replaceText } from './nft-text.js';
import { planTable, type KernelPort } from './plan-table.js';
import { NOTHING, TABLE } from './table.js';

const run = promisify(execFile);
/** A network of its own, so that nothing of the machine's changes. */
const network = `edge-mesh-rules-${process.pid}`;
beforeAll(() => run('ip', ['netns', 'add', network]));
afterAll(() => run('ip', ['netns', 'delete', network]));

function nft(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync('ip', ['netns', 'exec', network, 'nft', ...args], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
const apply = (text: string): string => nft(['-f', '-'], text);
const listed = (family = 'ip'): string => nft(['list', 'table', family, TABLE]);

const web = (more: Partial<KernelPort> = {}): KernelPort => ({
  service: 'default/web',
  addresses: ['10.96.0.10', 'fd00::10'],
  protocol: 'TCP',
  port: 80,
  targets: [{ address: '10.1.0.2', port: 8080 }, { address: '10.1.0.3', port: 8080 }, { address: 'fd01::2', port: 8080 }],
  strategy: 'RoundRobin',
  ...more,
});
const names = web({ service: 'kube-system/dns', addresses: ['10.96.0.2'], protocol: 'UDP', port: 53, targets: [{ address: '10.1.0.4', port: 53 }], affinitySeconds: 10_800 });
const plain = { masqueradeAll: false };

it('[edgemesh-41.1] the kernel takes the tables of both families, with one, several and no targets, with affinity, and twice', () => {
  const ports = [web(), names, web({ service: 'default/none', addresses: ['10.96.0.11'], targets: [] }), web({ service: `${'n'.repeat(63)}/${'s'.repeat(63)}`, addresses: ['10.96.0.12'], port: 65_535, strategy: 'Random' })];
  for (const family of ['ip', 'ip6'] as const) {
    const text = nftText(planTable(family, ports, plain), NOTHING);
    nft(['-c', '-f', '-'], text);
    apply(text);
    apply(text);
  }
  const ip = listed();
  expect(ip).toMatch(/10\.96\.0\.10 \. tcp \. 80 : goto svc-[0-9a-f]{12}-default\/web\/tcp\/80/);
  expect(ip).toMatch(/numgen inc mod 2 vmap \{ 0 : goto ep-/);
  expect(ip).toMatch(/numgen random mod 2 vmap/);
  expect(ip).toMatch(/10\.96\.0\.2 \. udp \. 53 : goto/);
  expect(ip).toMatch(/timeout 3h/);
  // Without targets it is known all the same: connections to it are refused.
  expect(ip).toMatch(/set addresses \{[^}]*elements = \{[^}]*10\.96\.0\.11/);
  expect(ip).not.toContain('10.96.0.11 . tcp');
  expect(ip).not.toContain('fd0');
  expect(listed('ip6')).toContain('dnat to [fd01::2]:8080');
  for (const family of ['ip', 'ip6'] as const) apply(removeText(family));
});

it('[edgemesh-41.2] nothing is said when nothing differs, and a change touches what differs alone', () => {
  const before = planTable('ip', [web(), names], plain);
  const after = planTable('ip', [web({ targets: [{ address: '10.1.0.3', port: 8080 }] }), names], plain);
  expect(nftText(before, { table: before })).toBe('');
  const text = nftText(after, { table: before });
  expect(text).not.toContain('kube-system');
  expect(text).not.toContain('prerouting');
  apply(nftText(before, NOTHING));
  apply('add element ip edgecore_mesh hairpin { 10.9.9.9 . 10.9.9.9 }\n');
  apply(text);
  expect(listed()).not.toContain('dnat to 10.1.0.2:8080');
  expect(listed()).toContain('dnat to 10.1.0.3:8080');
  // What was not the agent's to change is still there.
  expect(listed()).toContain('10.9.9.9');
  apply(nftText(planTable('ip', [], plain), { table: after }));
  expect(listed()).not.toContain('goto');
  apply(removeText('ip'));
});

it('[edgemesh-41.3] what a predecessor left is changed into this, of what it remembered nothing is lost, and what cannot be changed is replaced', () => {
  const before = planTable('ip', [web(), names, web({ service: 'default/old', addresses: ['10.96.0.99'], affinitySeconds: 60 })], plain);
  apply(nftText(before, NOTHING));
  const affinity = [...before.lookups.keys()].find((name) => name.startsWith('aff-') && name.includes('kube-system')) as string;
  apply(`add element ip ${TABLE} ${affinity} { 10.7.7.7 }\n`);
  const wanted = planTable('ip', [web(), names], plain);
  const known = { chains: [...before.chains.keys()], lookups: [...before.lookups].map(([name, { kind }]) => ({ name, kind })) };
  apply(nftText(wanted, known));
  expect(listed()).toContain('10.7.7.7');
  expect(listed()).not.toContain('default/old');
  apply(`delete chain ip ${TABLE} postrouting\nadd chain ip ${TABLE} postrouting { type filter hook input priority 0; }\n`);
  expect(() => apply(nftText(wanted, known))).toThrow();
  apply(replaceText(wanted));
  expect(listed()).toContain('masquerade');
  apply(removeText('ip'));
});

it('[edgemesh-42.1] what is left to itself keeps its chains, and catches nothing after its time', async () => {
  const table = planTable('ip', [web(), names], { masqueradeAll: true });
  apply(nftText(table, NOTHING));
  apply(lapseText(table, 1));
  expect(listed()).toMatch(/10\.96\.0\.10 \. tcp \. 80 timeout 1s/);
  await expect.poll(listed, { timeout: 20_000, interval: 200 }).not.toMatch(/10\.96\.0\.(10|2)\b/);
  expect(listed()).toContain('hook prerouting');
  // A successor takes it over.
  apply(nftText(table, { chains: [...table.chains.keys()], lookups: [] }));
  expect(listed()).toMatch(/10\.96\.0\.10 \. tcp \. 80 : goto/);
});

it('[edgemesh-41.5] connections that others translate keep their source, the own ones come from this node', async () => {
  const peer = `${network}-peer`;
  const ip = (...args: readonly string[]) => run('ip', [...args]);
  await ip('netns', 'add', peer);
  const program = "require('net').createServer((socket) => socket.end(socket.remoteAddress)).listen(7000, '10.50.0.2', () => console.log('listens'))";
  await ip('-n', network, 'link', 'add', 'rules0', 'type', 'veth', 'peer', 'name', 'rules1', 'netns', peer);
  await ip('-n', peer, 'address', 'add', '10.50.0.2/24', 'dev', 'rules1');
  await ip('-n', peer, 'link', 'set', 'rules1', 'up');
  // The second address is a program's choice, which masquerading would not make.
  for (const address of ['10.50.0.1/24', '10.50.0.9/24']) await ip('-n', network, 'address', 'add', address, 'dev', 'rules0');
  await ip('-n', network, 'link', 'set', 'rules0', 'up');
  for (const address of ['10.60.0.1', '10.60.0.2']) await ip('-n', network, 'route', 'add', address, 'dev', 'rules0');
  const server = spawn('ip', ['netns', 'exec', peer, process.execPath, '-e', program]);
  try {
    await once(server.stdout, 'data');
    const sourceSeen = async (address: string): Promise<string> => (await run('ip', ['netns', 'exec', network, process.execPath, '-e', `require('net').connect({ host: '${address}', port: 80, localAddress: '10.50.0.9' }).pipe(process.stdout)`])).stdout;
    const own = [web({ addresses: ['10.60.0.1'], targets: [{ address: '10.50.0.2', port: 7000 }] })];
    apply('add table ip others\nadd chain ip others output { type nat hook output priority -100; }\nadd rule ip others output ip daddr 10.60.0.2 tcp dport 80 dnat to 10.50.0.2:7000\n');
    for (const masqueradeAll of [true, false]) {
      apply(replaceText(planTable('ip', own, { masqueradeAll })));
      expect([await sourceSeen('10.60.0.1'), await sourceSeen('10.60.0.2')]).toEqual(['10.50.0.1', '10.50.0.9']);
    }
  } finally {
    server.kill();
    apply(`${removeText('ip')}add table ip others\ndelete table ip others\n`);
    await ip('netns', 'delete', peer);
  }
}, 60_000);

it('[edgemesh-41.4] a thousand ports are taken at once, and a change of one is a few lines', () => {
  const many = Array.from({ length: 1_000 }, (_, index) => web({ service: `default/s${index}`, addresses: [`10.97.${index >> 8}.${index & 255}`] }));
  const table = planTable('ip', many, plain);
  apply(replaceText(table));
  expect(nft(['list', 'map', 'ip', TABLE, 'services']).match(/10\.97\./g)).toHaveLength(1_000);
  const changed = nftText(planTable('ip', [...many.slice(1), web({ ...many[0], targets: [{ address: '10.1.0.9', port: 1 }] })], plain), { table });
  expect(changed.trim().split('\n').length).toBeLessThan(20);
  apply(changed);
  apply(removeText('ip'));
});
