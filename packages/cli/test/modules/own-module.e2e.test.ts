import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@edge/testing';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeRole } from '../../src/modules/role-file.js';
import { eventually, PROGRAM, startAgent, temporaryFolder, type Agent } from '../support/agent.js';
import { mqttClient } from '../support/mqtt.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** The place of inversify, as npm has resolved it for core. */
const inversify = dirname(dirname(createRequire(join(root, 'packages/core/package.json')).resolve('inversify')));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let agent: Agent | undefined;
let mqttPort: number;
const at = (...path: string[]): string => join(folder.path, ...path);

/** Lays a package of this repository into `node_modules` of the module's own installation, as npm would: code of its own, imports outside. */
async function install(source: string, name: string, entry: string): Promise<void> {
  const place = at('own', 'node_modules', name);
  mkdirSync(place, { recursive: true });
  copyFileSync(join(root, source, 'package.json'), join(place, 'package.json'));
  await build({ entryPoints: [join(root, source, entry)], outfile: join(place, 'dist', 'index.js'), bundle: true, platform: 'node', target: 'node20', format: 'esm', external: ['@edge/*', 'inversify'], tsconfigRaw: '{}', logLevel: 'warning' });
}

function modules(...flags: string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [PROGRAM, 'modules', '--config', at('node', 'edgecore.yaml'), ...flags], { encoding: 'utf8' });
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await Promise.all([install('packages/protocol', '@edge/protocol', 'src/index.ts'), install('packages/core', '@edge/core', 'src/index.ts'), install('examples/own-module', 'twin-recorder', 'index.ts')]);
  symlinkSync(realpathSync(inversify), at('own', 'node_modules', 'inversify'));
  const [first, dead] = [await freePorts(2), await freePorts(1)];
  mqttPort = first + 1;
  mkdirSync(at('node'));
  await writeRole(at('node', 'edgecore.yaml'), 'devicetwin', { package: 'twin-recorder', folder: '../own', settings: { file: at('record.jsonl') } });
  // Nobody is at the other end of the link: what is tried here happens on the node.
  agent = await startAgent({ folder: at('node'), node: 'edge-own', token: 'none', hubAddress: `127.0.0.1:${dead}`, httpsUrl: `https://127.0.0.1:${dead}`, kubeletPort: first, mqttPort });
});
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe('a module of somebody else in the place of a built-in one', () => {
  it('[roles-4.1] takes part in the agent with a copy of core of its own: it gets its settings, the messages of its role, and is heard', async () => {
    await agent?.logged(/the role file gives a role to a package.*role="devicetwin".*twin-recorder/);
    await agent?.logged('recording');
    await agent?.logged('MQTT broker listens');
    await using client = await mqttClient(mqttPort);
    await client.publish('$hw/events/device/default/pump/twin/update', '{"twin":{}}');
    const record = (): string => (existsSync(at('record.jsonl')) ? readFileSync(at('record.jsonl'), 'utf8') : '');
    await eventually(() => /"resource":".*"/.test(record()), 60_000, () => `nothing was recorded:\n${agent?.log.slice(-2000)}`);
    expect(JSON.parse(record().split('\n')[0] ?? '')).toMatchObject({ operation: 'response', content: '{"twin":{}}' });
    expect(existsSync(at('node', 'agent', 'dmi.sock'))).toBe(false);
  });

  it('[roles-4.2] edgecore modules shows it, with where it comes from and that it is on', () => {
    const { status, stdout, stderr } = modules('--check');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^devicetwin +twin-recorder +0\\.1\\.0 .* on +${realpathSync(at('own', 'node_modules', 'twin-recorder'))}$`, 'm'));
    expect(stdout).toMatch(/^edged +@edge\/edged .* on +built-in$/m);
    expect(stdout).toMatch(/^edgemesh +@edge\/edgemesh .* off +built-in$/m);
    const json = JSON.parse(modules('--json').stdout) as { modules: { name: string; enabled: boolean; origin: object }[]; roleFile: object };
    expect(json.modules.find(({ name }) => name === 'devicetwin')).toMatchObject({ enabled: true, origin: { kind: 'package' } });
    expect(json.roleFile).toEqual({ path: at('node', 'edge-modules.yaml'), exists: true });
  });

  it('[roles-4.3] once it cannot be loaded the agent starts with the built-in module and says so; modules --check ends with code 2', async () => {
    await agent?.stop();
    rmSync(at('own', 'node_modules', '@edge', 'core'), { recursive: true });
    agent?.start();
    await agent?.logged(/the role file cannot be followed.*role="devicetwin".*problem="missing-peer".*needs @edge\/core.*instead="the built-in module plays devicetwin"/);
    await eventually(() => existsSync(at('node', 'agent', 'dmi.sock')), 60_000, () => `the built-in module does not run:\n${agent?.log.slice(-2000)}`);
    const { status, stdout, stderr } = modules('--check');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^problem: twin-recorder 0\.1\.0 in .*, which is to play devicetwin, needs @edge\/core@"\^0\.1\.0", which is not installed beside it: .*; the built-in module plays devicetwin\n$/);
    expect(stdout).toMatch(/^devicetwin +@edge\/devicetwin .* on +built-in$/m);
  });
});
