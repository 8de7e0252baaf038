import { expect, it } from 'vitest';
import { outcomeOf } from '../src/way.js';
import { scene, textOf } from './scene.js';

const LIMIT = { timeout: 60_000, interval: 20 };

it.each([
  [{ tunnel: 'connect ECONNREFUSED', kubelet: undefined }, false, 'failed: no tunnel to the cloud: connect ECONNREFUSED'],
  [{ tunnel: undefined, kubelet: 'it answers 500' }, false, "failed: the tunnel is open, but the node's kubelet API does not serve: it answers 500"],
  [{ tunnel: undefined, kubelet: undefined, ownPort: 10_350 }, true, 'ok: the tunnel is open, the kubelet API answers'],
  [{ tunnel: undefined, kubelet: undefined, ownPort: 10_350, namedPort: 10_351 }, true, 'ok: the tunnel is open, the kubelet API answers, the API server calls port 10351'],
])('[edgestream-5.1] of %j it says: well %j, "%s"', (facts, well, text) => {
  expect(outcomeOf(facts)).toEqual({ well, text });
});

it('[edgestream-5.7] names what is missing in the cloud when the Node has kept the port of the node itself', () => {
  const { well, text } = outcomeOf({ tunnel: undefined, kubelet: undefined, ownPort: 10_350, namedPort: 10_350 });
  expect(well).toBe(true);
  expect(text).toMatch(/own port 10350, which CloudCore changes .* nodes\/status .* port 10003$/);
});

it('[edgestream-5.2] tests the way when the tunnel opens, when it cannot and when it is back, and has the outcome written at the Node', async () => {
  await using world = await scene({ namedPort: () => 10_351 });
  await world.tunnel();
  await expect.poll(() => world.remarks, LIMIT).toEqual(['ok: the tunnel is open, the kubelet API answers, the API server calls port 10351']);
  await world.cloudAway();
  await expect.poll(() => world.remarks.at(-1), LIMIT).toMatch(/^failed: no tunnel to the cloud: .*ECONNREFUSED/);
  await world.cloudBack();
  await expect.poll(() => world.remarks.at(-1), LIMIT).toMatch(/^ok: /);
  expect(world.lines.filter(({ message }) => message.startsWith('self-test')).map(({ level }) => level)).toEqual(['info', 'warn', 'info']);
  expect(world.figures()).toEqual(expect.arrayContaining(['edgecore_stream_tunnel_open 1', 'edgecore_stream_tunnels_total 2']));
  expect(world.figures().some((line) => /^edgecore_stream_dial_failures_total [1-9]/.test(line))).toBe(true);
}, 120_000);

it('[edgestream-5.3] says what is wrong with the kubelet API behind an open tunnel', async () => {
  await using ill = await scene({ health: () => 500, testTimes: { start: 0, again: [] } });
  await ill.tunnel();
  await expect.poll(() => ill.remarks.at(-1), LIMIT).toBe("failed: the tunnel is open, but the node's kubelet API does not serve: it answers 500 when it is asked whether it is well");
  await using none = await scene({ endpoint: { host: 5 }, testTimes: { start: 0, again: [] } });
  await none.tunnel();
  await expect.poll(() => none.remarks.at(-1), LIMIT).toMatch(/does not serve: edged did not say where its kubelet API is$/);
}, 120_000);

it('[edgestream-5.5] waits for a kubelet API that is still starting, and has nothing to say of it', async () => {
  let asked = 0;
  await using world = await scene({ health: () => ((asked += 1) < 3 ? 500 : 200), testTimes: { start: 60_000, again: [] } });
  await world.tunnel();
  await expect.poll(() => world.remarks, LIMIT).toEqual(['ok: the tunnel is open, the kubelet API answers']);
  expect(world.lines.filter(({ level }) => level === 'warn')).toEqual([]);
}, 120_000);

it("[edgestream-5.6] leaves open what the Node's port means until the cloud has had its time to write it", async () => {
  let looks = 0;
  await using world = await scene({ namedPort: (own) => ((looks += 1) < 3 ? own : 10_351), testTimes: { start: 0, again: [1, 1] } });
  await world.tunnel();
  await expect.poll(() => world.remarks, LIMIT).toEqual(['ok: the tunnel is open, the kubelet API answers', 'ok: the tunnel is open, the kubelet API answers, the API server calls port 10351']);
  await using kept = await scene({ namedPort: (own) => own, testTimes: { start: 0, again: [1, 1] } });
  await kept.tunnel();
  await expect.poll(() => kept.remarks.map((text) => text.slice(0, 28)), LIMIT).toEqual(['ok: the tunnel is open, the ', 'ok as far as this node sees:']);
}, 120_000);

it('[edgestream-5.4] counts sessions and their bytes by kind', async () => {
  await using world = await scene();
  expect(await textOf(await world.open('logs', '/containerLogs/default/p/c'))).toBe('hello\n');
  expect(await textOf(await world.open('metrics', '/stats/summary'))).toBe('hello\n');
  const sums = ['edgecore_stream_sessions_total{"kind":"logs"} 1', 'edgecore_stream_sessions_total{"kind":"metrics"} 1', 'edgecore_stream_sessions_open{"kind":"logs"} 0', 'edgecore_stream_sent_bytes_total{"kind":"logs"} 6', 'edgecore_stream_received_bytes_total{"kind":"logs"} 0'];
  await expect.poll(() => world.figures(), LIMIT).toEqual(expect.arrayContaining(sums));
}, 120_000);
