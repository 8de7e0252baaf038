import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createTestCa, freePort, type TestCa } from '@edge/testing';
import { createMessage, encodeMessage, type Message } from '@edge/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventually, PROGRAM, startAgent, temporaryFolder, type Agent } from './support/agent.js';
import { scriptedHub, type ScriptedHub } from './support/scripted-hub.js';

/** Resident memory of a process, MiB. */
function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** An agent with certificates in place, linked to a scripted hub. */
async function linkedAgent(folder: string, ca: TestCa, hub: ScriptedHub): Promise<Agent> {
  const certs = join(folder, 'agent', 'certs');
  mkdirSync(certs, { recursive: true });
  mkdirSync(join(folder, 'agent', 'ca'), { recursive: true });
  const pair = await ca.node('edge-1');
  writeFileSync(join(folder, 'agent', 'ca', 'rootCA.crt'), ca.certificate);
  writeFileSync(join(certs, 'server.crt'), pair.certificate);
  writeFileSync(join(certs, 'server.key'), pair.privateKey, { mode: 0o600 });
  return startAgent({ folder, node: 'edge-1', token: '', hubAddress: `127.0.0.1:${hub.port}`, httpsUrl: `https://127.0.0.1:${hub.port}`, kubeletPort: await freePort() });
}

/** A good push; its acknowledgement shows that the agent is well. */
function goodPush(name: string): Message {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '7' }, data: { key: 'value' } };
  return createMessage({ source: 'edgecontroller', group: 'resource', operation: 'update', resource: `default/configmap/${name}`, resourceVersion: '7', content: object });
}

const WRONG = [null, 7, true, 'text', [], [1], {}, { a: 1 }, '\u0000', -1e308];

/** The message with one member of the envelope, or the content, replaced by what it must not be. */
function broken(): string[] {
  const good = JSON.parse(encodeMessage(goodPush('broken'))) as Record<string, Record<string, unknown>>;
  const members: [string, string?][] = [['header'], ['route'], ['content'], ['header', 'msg_id'], ['header', 'parent_msg_id'], ['header', 'timestamp'], ['header', 'resourceversion'], ['header', 'sync'], ['header', 'type'], ['route', 'source'], ['route', 'group'], ['route', 'operation'], ['route', 'resource'], ['route', 'destination']];
  return members.flatMap(([outer, inner]) =>
    WRONG.map((value) => JSON.stringify(inner === undefined ? { ...good, [outer]: value } : { ...good, [outer]: { ...good[outer], [inner]: value } })),
  );
}

describe('hostile input', () => {
  it('[hostile-1.1] broken, random, unknown and huge frames harm nothing: the link serves on, memory stays bounded', { timeout: 300_000 }, async () => {
    await using folder = await temporaryFolder();
    const ca = await createTestCa();
    const acknowledged = new Set<string>();
    await using hub = await scriptedHub(ca, (message) => {
      if (message.header.parentId) acknowledged.add(message.header.parentId);
      return undefined;
    });
    await using agent = await linkedAgent(folder.path, ca, hub);
    await agent.logged('the link to the cloud is open');
    const pid = agent.pid;
    const isWell = async (name: string): Promise<void> => {
      const push = goodPush(name);
      await eventually(
        async () => {
          await hub.send(encodeMessage(push));
          await new Promise((resolve) => setTimeout(resolve, 200));
          return acknowledged.has(push.header.id);
        },
        30_000,
        () => `a good push was not acknowledged after ${name}; the log ends:\n${agent.log.slice(-2000)}`,
      );
    };
    await isWell('start');
    for (const frame of broken()) await hub.send(frame);
    await isWell('wrong-types');
    for (const text of fc.sample(fc.oneof(fc.string(), fc.json(), fc.jsonValue().map((value) => JSON.stringify({ header: value, route: value, content: value }))), 2000)) await hub.send(text);
    await isWell('random-frames');
    const word = fc.string({ maxLength: 30 });
    for (const [source, group, operation, resource, content] of fc.sample(fc.tuple(word, fc.constantFrom('resource', 'func', 'twin', 'user', 'taskmanager', 'x'), fc.constantFrom('insert', 'update', 'delete', 'patch', 'response', 'error', 'query', 'boo'), fc.oneof(word, fc.constantFrom('default/pod/p', 'null/node/edge-1', 'default/secret/', '//', 'default/podpatch/p')), fc.jsonValue()), 2000)) {
      await hub.send(encodeMessage(createMessage({ source, group, operation, resource, content })));
    }
    await isWell('unknown-operations');
    const before = residentMiB(pid);
    // A pod list far beyond anything real, then one that is over the limit of a frame.
    for (let round = 0; round < 3; round += 1) await hub.send(encodeMessage(createMessage({ ...goodPush(`big-${round}`).route, content: 'x'.repeat(16 * 1024 * 1024) })));
    await hub.send(encodeMessage(createMessage({ ...goodPush('huge').route, content: 'x'.repeat(64 * 1024 * 1024) })));
    await isWell('huge-frames');
    await eventually(() => residentMiB(pid) < before + 200, 60_000, () => `memory went from ${before} to ${residentMiB(pid)} MiB`);
    expect(agent.pid).toBe(pid);
    expect(process.kill(pid, 0)).toBe(true);
  });

  it('[hostile-1.2] endless redirects, endless bodies and silence on the certificate endpoint end in a clear line, again and again', { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder();
    const ca = await createTestCa();
    const { certificate, privateKey } = await ca.server();
    let asked = 0;
    const server = createHttps({ cert: certificate, key: privateKey }, (request, response) => {
      asked += 1;
      if (asked % 2 === 1) response.writeHead(302, { location: request.url ?? '/' }).end();
      else {
        response.on('error', () => undefined);
        const pour = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          response.once('drain', pour);
        };
        pour();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await using agent = await startAgent({
        folder: folder.path,
        node: 'edge-1',
        token: `${'a'.repeat(64)}.${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from('{"exp":9999999999}').toString('base64url')}.c2ln`,
        hubAddress: `127.0.0.1:${port}`,
        httpsUrl: `https://127.0.0.1:${port}`,
        kubeletPort: await freePort(),
      });
      await eventually(() => asked >= 4, 60_000, () => `asked ${asked} times; ${agent.log.slice(-1500)}`);
      await agent.logged(/redirect/i);
      expect(residentMiB(agent.pid)).toBeLessThan(200);
      expect(await agent.stop()).toBe(0);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  const bombs: [string, string, RegExp][] = [
    ['an alias bomb', `a: &a [${'x,'.repeat(100)}]\n${Array.from({ length: 20 }, (_, i) => `${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [${`*${String.fromCharCode(97 + i)},`.repeat(100)}]\n`).join('')}`, /alias|values|large/i],
    ['a file of 20 MiB', `a: "${'x'.repeat(20 * 1024 * 1024)}"\n`, /KiB|bytes|large|size/i],
    ['a thousand levels', `a: ${'['.repeat(1000)}${']'.repeat(1000)}\n`, /deep|level|nest/i],
    ['no YAML at all', 'a: [1\nb: }{\n', /YAML|syntax|line 1|line 2/i],
    ['wrong types', 'modules: 7\nfeatureGates: {moduleRestart: maybe}\n', /featureGates\.moduleRestart[\s\S]*modules \(line 1\)/],
  ];
  it.each(bombs)('[hostile-1.3] %s as configuration: exit code 1 and one clear text', async (_title, text, message) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'edgecore.yaml');
    writeFileSync(path, text);
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, '--config', path], { encoding: 'utf8', timeout: 30_000, env: { ...process.env, NODE_OPTIONS: '' } });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^F\d{4} /m);
    expect(stderr).toMatch(message);
    expect(stderr.length).toBeLessThan(20_000);
  });
});
