import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { loadConfig } from '@edge/config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { join, joinConfig } from './join.js';

const TOKEN = `${'a'.repeat(64)}.head.pay.sign`;
const HOST = { hostname: 'box', localIP: '192.0.2.9' };
let folder = '';
let out = '';
let err = '';
const terminal = { env: {}, out: (text: string) => void (out += text), err: (text: string) => void (err += text) };

beforeEach(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), 'edge-join-'));
  out = '';
  err = '';
});
afterEach(() => rm(folder, { recursive: true }));

describe('edgecore join', () => {
  it('[cli-3.1] writes a configuration that the agent reads without a warning, for its owner alone', async () => {
    const path = joinPath(folder, 'etc', 'edgecore.yaml');
    const code = await join(['--cloudcore-ipport', '203.0.113.7:10000', '--token', TOKEN, '--node-name', 'edge-7', '--config', path, '-l', 'zone=a,rack=1'], terminal);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`^Start the agent with: .+ --config ${path}$`, 'm'));
    const { config, warnings } = loadConfig(await readFile(path, 'utf8'), HOST);
    expect(warnings).toEqual([]);
    expect(config.modules.edgeHub).toMatchObject({ enable: true, token: TOKEN, httpServer: 'https://203.0.113.7:10002', websocket: { enable: true, server: '203.0.113.7:10000' } });
    expect(config.modules.edged).toMatchObject({ hostnameOverride: 'edge-7', nodeLabels: { zone: 'a', rack: '1' } });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('[cli-3.2] does not overwrite what is there unless told to', async () => {
    const path = joinPath(folder, 'edgecore.yaml');
    const args = ['-e', '[2001:db8::7]:10000', '-t', TOKEN, '-i', 'edge-7', '--config', path];
    expect(await join(args, terminal)).toBe(0);
    expect(await join(args, terminal)).toBe(1);
    expect(err).toContain('it exists already; give --force');
    expect(await join([...args, '--force'], terminal)).toBe(0);
    expect(loadConfig(await readFile(path, 'utf8'), HOST).config.modules.edgeHub.httpServer).toBe('https://[2001:db8::7]:10002');
  });

  const good = { 'cloudcore-ipport': 'cloud:10000', token: TOKEN, 'node-name': 'edge-7' };
  it.each([
    [{ 'cloudcore-ipport': undefined }, '--cloudcore-ipport is missing'],
    [{ 'cloudcore-ipport': 'cloud' }, '--cloudcore-ipport is "cloud", it must be host:port'],
    [{ 'cloudcore-ipport': '2001:db8::7:10000' }, 'an IPv6 address in brackets'],
    [{ 'cloudcore-ipport': 'cloud:99999' }, '--cloudcore-ipport has port "99999"'],
    [{ token: undefined }, '--token is missing'],
    [{ token: 'abc' }, '--token has 1 parts, it must have 4'],
    [{ 'node-name': 'Edge_7' }, '--node-name is "Edge_7"'],
    [{ runtime: 'docker' }, '--runtime is "docker", it must be cri or process'],
    [{ labels: 'zone' }, '--labels has "zone"'],
  ])('[cli-3.3] %j: says which flag is wrong and what would be right', (wrong, message) => {
    expect(() => joinConfig({ ...good, ...wrong }, 'box')).toThrow(message);
  });
});
