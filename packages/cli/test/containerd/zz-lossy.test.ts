import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { BUSYBOX_IMAGE, freePort, startContainerd } from '@edge/testing';
import { it } from 'vitest';
import { countInside, footprint } from '../streams/footprint.js';
import { Kubectl, SPDY_ALONE } from '../streams/kubectl.js';
import { openKillableScene } from '../support/killable-scene.js';
const MINUTES = Number(process.env['LOSSY_MINUTES'] ?? 4);
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', 'mkdir /www; head -c 200000 /dev/zero > /www/big; httpd -p 8080 -h /www; n=0; while true; do n=$((n+1)); echo line $n; sleep 0.5; done'] }] } };
const pause = (ms: number): Promise<void> => new Promise((r) => setTimeout(r, ms));
function late(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => { setTimeout(() => { if (!to.destroyed && !to.write(chunk)) from.pause(); }, 100); });
  to.on('drain', () => from.resume());
  from.on('error', () => undefined);
  from.on('close', () => setTimeout(() => to.destroySoon(), 100));
}
it('x', { timeout: 3_600_000 }, async () => {
  await using containerd = await startContainerd({});
  await using scene = await openKillableScene({ containerd, hasTunnel: true });
  const cloudPort = scene.tunnel!.target;
  const port = await freePort();
  const slow = createServer((client) => { const up = connect(cloudPort, '127.0.0.1'); late(client, up); late(up, client); });
  await new Promise<void>((r) => slow.listen(port, '127.0.0.1', r));
  execFileSync('nft', ['-f', '-'], { input: `add table inet slossy
add chain inet slossy out { type filter hook output priority 0; }
add rule inet slossy out tcp dport ${port} tcp flags syn tcp option maxseg size set 1400
add rule inet slossy out tcp sport ${port} tcp flags syn tcp option maxseg size set 1400
add rule inet slossy out tcp dport ${port} numgen random mod 100 < 2 counter drop
add rule inet slossy out tcp sport ${port} numgen random mod 100 < 2 counter drop
` });
  try {
    scene.tunnel!.target = port;
    scene.tunnel!.reset();
    const clients = [new Kubectl({ kubeconfig: scene.kubeconfig, folder: scene.folder }), new Kubectl({ kubeconfig: scene.kubeconfig, folder: scene.folder, env: SPDY_ALONE })];
    await scene.ready(0, 90_000);
    await scene.kubectl('apply', '-f', '-', JSON.stringify(POD));
    await scene.kubectl('wait', '--for=condition=Ready', 'pod/p', '--timeout=120s');
    for (let tries = 0; ; tries += 1) { const r = await clients[0]!.run(['exec', 'p', '--', 'true']); if (r.code === 0) break; await pause(500); }
    const c0 = { agent: footprint(scene.agent.pid), cloud: footprint(scene.cloudPid), containerd: footprint(containerd.pid ?? 0) };
    const until = Date.now() + MINUTES * 60_000;
    const mark = randomUUID();
    const tally: Record<string, number> = {};
    const count = (k: string): void => void (tally[k] = (tally[k] ?? 0) + 1);
    const longest: Record<string, number> = {};
    const hung: string[] = [];
    let kills = 0;
    const killer = (async () => {
      while (Date.now() < until) {
        await pause(8000 + Math.random() * 6000);
        if (Date.now() > until) break;
        const what = kills % 3;
        kills += 1;
        if (what === 0) { await scene.agent.kill(); scene.agent.start(); }
        else if (what === 1) await scene.killCloud(500);
        else scene.tunnel!.reset();
      }
    })();
    const worker = async (n: number): Promise<void> => {
      const kubectl = clients[n % 2]!;
      while (Date.now() < until) {
        const which = ['cat', 'short', 'logs', 'forward', 'cpout'][Math.floor(Math.random() * 5)]!;
        const since = performance.now();
        let ok = false;
        const limit = setTimeout(() => { hung.push(`${which} ${n}`); }, 120_000);
        if (which === 'cat') {
          const bytes = randomBytes(60_000);
          const r = await kubectl.run(['exec', '-i', 'p', '--', 'sh', '-c', `cat; : ${mark}`], bytes);
          ok = r.code === 0 && createHash('md5').update(r.stdout).digest('hex') === createHash('md5').update(bytes).digest('hex');
          if (r.code === 0 && !ok) count(`cat WRONG ${r.stdout.length}`);
        } else if (which === 'short') {
          const r = await kubectl.run(['exec', 'p', '--', 'sh', '-c', 'echo hi; exit 4']);
          ok = r.code === 4 && String(r.stdout) === 'hi\n';
          if (r.code === 4 && !ok) count('short WRONG');
        } else if (which === 'cpout') {
          const r = await kubectl.run(['exec', 'p', '--', 'cat', '/www/big']);
          ok = r.code === 0 && r.stdout.length === 200_000;
          if (r.code === 0 && !ok) count(`cpout WRONG ${r.stdout.length}`);
        } else if (which === 'logs') {
          const one = kubectl.start('logs', '-f', 'p', '--tail=1');
          await Promise.race([one.ended, pause(6000)]);
          ok = one.said.split('\n').length > 2;
          await one.kill();
        } else {
          const one = kubectl.start('port-forward', 'p', ':8080');
          await Promise.race([one.ended, one.shows(/127.0.0.1:(\d+) ->/).catch(() => undefined)]);
          const p = /127.0.0.1:(\d+) ->/.exec(one.said)?.[1];
          if (p) ok = await fetch(`http://127.0.0.1:${p}/big`, { signal: AbortSignal.timeout(60_000) }).then(async (a) => (await a.arrayBuffer()).byteLength === 200_000, () => false);
          await one.kill();
        }
        clearTimeout(limit);
        const ms = performance.now() - since;
        longest[which] = Math.max(longest[which] ?? 0, Math.round(ms));
        count(`${which} ${ok ? 'ok' : 'failed'}`);
        if (!ok) await pause(500);
      }
    };
    await Promise.all([killer, ...Array.from({ length: 6 }, (_, n) => worker(n))]);
    console.log(JSON.stringify({ kills, tally, longest, hung }, undefined, 1));
    for (let tries = 0; tries < 100; tries += 1) { const r = await clients[0]!.run(['exec', 'p', '--', 'true']); if (r.code === 0) { console.log('served again after', tries); break; } await pause(1000); }
    await pause(15_000);
    console.log(JSON.stringify({ before: c0, after: { agent: footprint(scene.agent.pid), cloud: footprint(scene.cloudPid), containerd: footprint(containerd.pid ?? 0) }, inside: countInside(mark) }));
    console.log(execFileSync('nft', ['list', 'table', 'inet', 'slossy']).toString().split('\n').filter((l) => l.includes('counter')).join('\n'));
    console.log(scene.agent.log.split('\n').filter((l) => /^[EW]|tunnel/.test(l)).slice(-15).join('\n'));
  } finally {
    execFileSync('nft', ['delete', 'table', 'inet', 'slossy']);
    slow.close();
  }
});
