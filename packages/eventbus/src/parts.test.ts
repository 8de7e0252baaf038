import { Complaints } from '@edge/core';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AckLine } from './ack-line.js';
import { hashPassword, parseUsers, passwordFits } from './broker/passwords.js';
import { parseRules, allows } from './broker/rules.js';
import { parseEventBusConfig } from './config.js';
import { Echoes } from './external/echoes.js';
import { PublishQueue } from './external/publish-queue.js';
import { shownUrl } from './shown-url.js';

const message = (number: number) => ({ topic: 't', payload: Buffer.from(String(number)) });

describe('small parts', () => {
  it('[parts-1] acknowledgements leave in the order of the messages, each when its own is taken', () => {
    const out: string[] = [];
    const line = new AckLine((bytes) => out.push(bytes.toString()));
    const [first, second] = [line.reserve(Buffer.from('1')), line.reserve(Buffer.from('2'))];
    line.add(Buffer.from('3'));
    const fourth = line.reserve(Buffer.from('4'));
    second();
    expect(out).toEqual([]);
    first();
    expect(out).toEqual(['1', '2', '3']);
    fourth();
    line.add(Buffer.from('5'));
    expect(out).toEqual(['1', '2', '3', '4', '5']);
  });

  it('[parts-2] a queue drops the oldest, and takes back what was not brought home in front', () => {
    const queue = new PublishQueue(3);
    for (const number of [1, 2, 3, 4]) queue.push(message(number));
    const taken = [queue.shift(), queue.shift()].filter((one) => one !== undefined);
    queue.push(message(5));
    queue.putBack(taken);
    const rest: string[] = [];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) rest.push(next.payload.toString());
    expect(rest).toEqual(['2', '3', '4', '5']);
    expect(queue.dropped).toBe(1);
    for (let number = 0; number < 3; number += 1) queue.push({ topic: 't', payload: Buffer.alloc(40 * 1024 * 1024) });
    expect(queue.length).toBe(1);
  });

  it('[parts-3] an echo is swallowed once for each time it was said, and not after a minute', () => {
    const echoes = new Echoes();
    const bytes = Buffer.from('x');
    const said = () => ({ topic: 't', payload: bytes });
    expect(echoes.swallow('t', bytes, 0)).toBe(false);
    echoes.expect(said(), 0);
    echoes.expect(said(), 0);
    expect(echoes.swallow('t', Buffer.from('y'), 1)).toBe(false);
    expect([1, 2, 3].map((now) => echoes.swallow('t', bytes, now))).toEqual([true, true, false]);
    echoes.expect(said(), 0);
    expect(echoes.swallow('t', bytes, 60_001)).toBe(false);
  });

  it('[parts-10] a message that is sent again has one echo, for a minute from then on; what nobody echoes is forgotten', () => {
    const echoes = new Echoes();
    const bytes = Buffer.from('x');
    const again = { topic: 't', payload: bytes };
    echoes.expect(again, 0);
    echoes.expect(again, 50_000);
    expect([100_000, 100_001].map((now) => echoes.swallow('t', bytes, now))).toEqual([true, false]);
    // Both copies came through: the second has an echo too.
    echoes.expect(again, 101_000);
    expect(echoes.swallow('t', bytes, 101_001)).toBe(true);
    for (let number = 0; number < 100; number += 1) echoes.expect({ topic: String(number), payload: bytes }, 200_000 + number);
    echoes.expect({ topic: 'later', payload: bytes }, 260_050);
    expect(echoes.size).toBe(50);
  });

  it('[parts-11] a login in an address is not shown, in one that is no URL either', () => {
    expect(['tcp://user:pw@host:1883', 'tcp://host:1883', 'ws://us%40er@host/a@b', 'tcp://a:p/w@host:1', 'tcp://a:p@w@host'].map(shownUrl)).toEqual([
      'tcp://host:1883', 'tcp://host:1883', 'ws://host/a@b', 'tcp://host:1', 'tcp://host',
    ]);
    expect(() => parseEventBusConfig({ mqttServerExternal: 'tcp://user:pw@host:99999' }, {})).toThrow('mqttServerExternal is "tcp://host:99999"');
  });

  it('[parts-4] a text passes when it is new and then once per period, and a clock that goes back does not silence it', () => {
    const said = new Complaints(1000);
    expect([0, 1, 999, 1000, 1001].map((now) => said.passes('a', now))).toEqual([true, false, false, true, false]);
    expect(said.passes('a', -5)).toBe(true);
    said.clear();
    expect(said.passes('a', 1002)).toBe(true);
  });

  it('[parts-5] passwords fit their hashes alone, those of mosquitto_passwd too', async () => {
    const own = await hashPassword('pässword');
    expect(await passwordFits(own, 'pässword')).toBe(true);
    expect(await passwordFits(own, 'password')).toBe(false);
    expect(await passwordFits('plain', 'plain')).toBe(false);
    // The dearest one that a file may hold still fits into memory.
    expect(await passwordFits('$scrypt$131072$YWE=$YWE=', 'x')).toBe(false);
    const folder = mkdtempSync(join(tmpdir(), 'edge-passwords-'));
    try {
      const file = join(folder, 'users');
      writeFileSync(file, '');
      expect(spawnSync('mosquitto_passwd', ['-b', file, 'alice', 'secret']).status).toBe(0);
      const users = parseUsers(file, readFileSync(file, 'utf8'));
      expect(await passwordFits(users.get('alice') ?? '', 'secret')).toBe(true);
      expect(await passwordFits(users.get('alice') ?? '', 'Secret')).toBe(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('[parts-6] a line of a file that is not right is named, without what may be secret in it', () => {
    expect(() => parseUsers('/u', '# ok\n\nalice:secret')).toThrow('/u, line 3 is not name:hash');
    expect(() => parseUsers('/u', 'alice:secret')).not.toThrow(/secret/);
    for (const cost of [0, 1, 1000, 262_144, 9_999_999]) expect(() => parseUsers('/u', `# x\na:$scrypt$${cost}$YWE=$YWE=`)).toThrow(`/u, line 2 has a scrypt hash of the cost ${cost}, it must be a power of two from 2 to 131072`);
    expect(() => parseUsers('/u', 'a:$7$0$YWE=$YWE=')).toThrow('/u, line 1 has a $7$ hash of 0 rounds, it must be 1 at least');
    expect(() => parseRules('/r', 'topic read a/b\ntopics a')).toThrow('/r, line 2 is not');
    expect(() => parseRules('/r', 'topic read a/#/b')).toThrow('/r, line 1');
  });

  it('[parts-7] a name that would widen a pattern gets nothing by it', () => {
    const rules = parseRules('/r', 'pattern readwrite d/%c/x\npattern read u/%u/#');
    const may = (clientId: string, user: string, topic: string): boolean => allows(rules, { clientId, user }, 'read', topic);
    expect(may('a', '', 'd/a/x')).toBe(true);
    expect(may('a', '', 'd/b/x')).toBe(false);
    expect(may('+', '', 'd/b/x')).toBe(false);
    expect(may('#', '', 'd/#')).toBe(false);
    expect(may('a/x', '', 'd/a/x')).toBe(false);
    expect(may('a', 'bob', 'u/bob/1')).toBe(true);
    expect(may('a', '', 'u//1')).toBe(false);
  });

  it('[parts-8] a deny counts more than what allows, for a subscription that takes in a part of it as well', () => {
    const rules = parseRules('/r', 'topic readwrite a/#\ntopic deny a/secret/#');
    const who = { clientId: 'c', user: '' };
    expect(allows(rules, who, 'read', 'a/b')).toBe(true);
    expect(allows(rules, who, 'read', 'a/#')).toBe(false);
    expect(allows(rules, who, 'write', 'a/secret/x')).toBe(false);
    expect(allows(rules, { clientId: 'c', user: 'other' }, 'read', 'a/b')).toBe(false);
    const crossing = parseRules('/r', 'topic read a/#\ntopic deny +/secret');
    expect(['a/b', 'a/secret', 'a/+', 'a/#', 'a/+/c'].map((filter) => allows(crossing, who, 'read', filter))).toEqual([true, false, false, false, true]);
  });

  it('[parts-9] missing settings get their defaults, wrong ones are named with what would be right', () => {
    expect(parseEventBusConfig(undefined, {})).toMatchObject({ enable: true, embedded: undefined, external: { url: 'tcp://127.0.0.1:1883', keepAlive: 30 } });
    expect(parseEventBusConfig({ mqttMode: 1 }, {})).toMatchObject({ embedded: { url: 'tcp://127.0.0.1:1884', sessionQueueSize: 100, qos: 0 }, external: { subClientId: '' } });
    expect(parseEventBusConfig({ mqttMode: 0, eventBusTLS: { tlsMqttCAFile: '/ca' } }, {}).embedded?.tls.caFile).toBe('/ca');
    expect(() => parseEventBusConfig({ mqttMode: 3 }, {})).toThrow('modules.eventBus.mqttMode is 3, it must be a whole number from 0 to 2');
    expect(() => parseEventBusConfig({ mqttServerExternal: 'broker:1883' }, {})).toThrow('modules.eventBus.mqttServerExternal is "broker:1883", it must be a URL');
    expect(() => parseEventBusConfig({ mqttPassword: 5 }, {})).toThrow('(hidden)');
    expect(() => parseEventBusConfig({ mqttMode: 0 }, { edge: { eventBus: { maxClients: 0 } } })).toThrow('edge.eventBus.maxClients is 0');
    expect(() => parseEventBusConfig({ mqttMode: 0 }, { edge: { eventBus: { tls: 'x' } } })).toThrow('edge.eventBus.tls is "x"');
  });
});
