import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { loops, BUSYBOX_IMAGE, startContainerd, type Containerd } from '@edge/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { playTunnel, recordedAnswer, spdyWords } from '../recorded/tunnel-play.js';
import { countInside, footprint } from '../streams/footprint.js';
import { Kubectl, SPDY_ALONE, type Running } from '../streams/kubectl.js';
import { eventually } from '../support/agent.js';
import { openKillableScene, type KillableScene } from '../support/killable-scene.js';
import { NODE } from '../support/scene.js';

const ROUNDS = loops(12, 1);
const SPARE_HANDLES = 8;
/** Nobody may wait longer for the end of a session whose way is gone; on a quiet machine it is at once. */
const ENDED_MS = 90_000;

const script = 'mkdir /www; head -c 20000000 /dev/zero > /www/big; httpd -p 8080 -h /www; n=0; while true; do n=$((n+1)); echo line $n; sleep 0.5; done';
const pod = (name: string, line: string): object => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', line] }] },
});
/** The second one is the pod of the recording, with the last line that it had written there. */
const PODS = { apiVersion: 'v1', kind: 'List', items: [pod('p', script), pod('p1', 'echo Sun Nov 22 02:01:42 UTC 2026; exec sleep 100000')] };

let containerd: Containerd;
let scene: KillableScene;
let clients: readonly Kubectl[];

beforeAll(async () => {
  containerd = await startContainerd({});
  scene = await openKillableScene({ containerd, hasTunnel: true });
  const { kubeconfig, folder } = scene;
  clients = [new Kubectl({ kubeconfig, folder }), new Kubectl({ kubeconfig, folder, env: SPDY_ALONE })];
  await scene.ready(0, 90_000);
  await scene.kubectl('apply', '-f', '-', JSON.stringify(PODS));
  await scene.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=120s');
  await eventually(async () => (await scene.kubectl('logs', 'p1')) !== '', 90_000, () => 'p1 wrote nothing');
  await serves();
}, 300_000);
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  await containerd?.[Symbol.asyncDispose]();
}, 120_000);

/** Waits until commands are served; a new tunnel takes a moment. */
async function serves(): Promise<void> {
  for (const client of clients) {
    await eventually(async () => String((await client.run(['exec', 'p', '--', 'echo', 'here'])).stdout) === 'here\n', 120_000, () => `no command is served; the agent's log ends:\n${scene.agent.log.slice(-2000)}`);
  }
}

/** One of each in the middle of its work. What reads its input in the pod has the mark in its command line. */
async function begin(mark: string): Promise<Running[]> {
  const all = clients.flatMap((client) => [
    client.start('exec', '-i', 'p', '--', 'sh', '-c', `echo began; cat > /dev/null; : ${mark}`),
    // Without input a command that nobody hears any more stays where it is: the runtime does not end it, whoever cuts the connection.
    client.start('exec', 'p', '--', 'sh', '-c', 'echo began; yes'),
    client.start('logs', '-f', 'p', '--tail=1'),
    client.start('attach', 'p'),
  ]);
  await Promise.all(all.map((one) => one.shows(/began|line \d/)));
  return all;
}

/** All of them end by themselves, and neither they nor what they started is there any more. */
async function end(running: readonly Running[], mark: string): Promise<void> {
  const open = new Set(running);
  for (const one of running) void one.ended.then(() => open.delete(one));
  await eventually(() => open.size === 0, ENDED_MS, () => `${open.size} of ${running.length} are still open: ${[...open].map(({ child }) => child.spawnargs.slice(3, 5).join(' ')).join(', ')}`);
  await eventually(() => countInside(mark) === 0, ENDED_MS, () => `${countInside(mark)} commands still run in the pod`);
}

it('[cli-stream-2.1] clients that are killed, a tunnel that is cut, a cloud that is killed: every session ends, and the agent is as before', { timeout: 900_000 }, async () => {
  const { agent, tunnel } = scene;
  const { pid } = agent;
  const before = footprint(pid);
  for (let round = 0; round < ROUNDS; round += 1) {
    const mark = randomUUID();
    const killed = await begin(mark);
    await Promise.all(killed.map((one) => one.kill()));
    await end(killed, mark);

    const cut = await begin(mark);
    tunnel?.reset();
    await end(cut, mark);
    await serves();

    const orphans = await begin(mark);
    await scene.killCloud(async () => end(orphans, mark));
    await serves();
  }
  await eventually(() => footprint(pid).handles <= before.handles + SPARE_HANDLES, 120_000, () => `the agent has ${footprint(pid).handles} descriptors, it had ${before.handles}`);
  expect(footprint(pid).memory).toBeLessThan(before.memory * 1.5 + 60);
  expect(agent.pid).toBe(pid);
  expect(agent.log).not.toContain('is started again');
});

it('[cli-stream-2.2] an agent that is killed ends every session with it, leaves none to the cloud, and serves when it is back', { timeout: 600_000 }, async () => {
  const { agent, cloudPid } = scene;
  const before = footprint(cloudPid).handles;
  for (let round = 0; round < ROUNDS; round += 1) {
    const mark = randomUUID();
    const running = await begin(mark);
    await agent.kill();
    await end(running, mark);
    agent.start();
    await serves();
  }
  await eventually(() => footprint(cloudPid).handles <= before + SPARE_HANDLES, 120_000, () => `the cloud has ${footprint(cloudPid).handles} descriptors, it had ${before}`);
});

it('[cli-stream-3.1] the cloud of recording 02 hears from the whole agent, and the runtime behind it, what it heard from the Go agent', { timeout: 300_000 }, async () => {
  await using cloud = await playTunnel(join(scene.folder, 'cloud'));
  const { tunnel } = scene;
  if (!tunnel) throw new Error('the scene has no tunnel');
  const { target } = tunnel;
  tunnel.target = cloud.port;
  tunnel.reset();
  try {
    expect(await cloud.session(5)).toEqual(recordedAnswer(5));
    // The first command writes a line; the second one reads what it has to do from its input and ends with code 3.
    for (const id of [6, 7]) expect(spdyWords(await cloud.session(id))).toEqual(spdyWords(recordedAnswer(id)));
    expect([5, 6, 7].map(cloud.ends)).toEqual([1, 1, 1]);
    expect(cloud.handshakes).toHaveLength(1);
    expect(cloud.handshakes[0]).toMatchObject({ 'user-agent': 'Go-http-client/1.1', sessionhostnameoverride: NODE, sessioninternalip: expect.any(String) as string });
    expect(cloud.handshakes[0]?.['sec-websocket-protocol']).toBeUndefined();
  } finally {
    tunnel.target = target;
    tunnel.reset();
  }
  await serves();
});
