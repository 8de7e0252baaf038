import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { main } from '../src/index.js';
import { PROGRAM } from './support/agent.js';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...args: string[]): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await main(args, { env: {}, columns: 100, out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

/** The tree with host name and addresses replaced, which differ from machine to machine. */
function neutral(text: string): unknown {
  const tree = parse(text) as { modules: { edged: { hostnameOverride: string }; edgeHub: { httpServer: string } } };
  const address = new URL(tree.modules.edgeHub.httpServer).hostname;
  return parse(text.replaceAll(address, '<address>').replaceAll(`hostnameOverride: ${tree.modules.edged.hostnameOverride}`, 'hostnameOverride: <host>'));
}

describe('edgecore', () => {
  it.each(['minconfig', 'defaultconfig'])('[cli-4.1] --%s prints what the Go program prints, but for host name and addresses', async (flag) => {
    const { code, out } = await run(`--${flag}`);
    expect(code).toBe(0);
    const golden = readFileSync(new URL(`./fixtures/${flag}.yaml`, import.meta.url), 'utf8');
    expect(neutral(out)).toEqual(neutral(golden));
    expect(out).toContain(`hostnameOverride: ${hostname().toLowerCase()}`);
    expect(out).toMatch(/^# .*\n# .*\n# .*\n\n[a-z]/i);
  });

  it('[cli-4.2] --help has the sections of the Go program and every flag', async () => {
    const { code, out, err } = await run('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/\nUsage:\n {2}edgecore \[flags\]\n\nGlobal flags:\n\n/);
    for (const flag of ['--config string', '--minconfig', '--defaultconfig', '-v, --v Level', '--vmodule pattern=N,...', '--version', '-h, --help']) expect(out).toContain(flag);
  });

  it('[cli-4.3] a wrong flag: the reason, then the usage, exit code 1', async () => {
    const { code, out, err } = await run('--confg=x');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^Error: unknown flag: --confg\nUsage:\n {2}edgecore \[flags\]\n\nGlobal flags:/);
  });

  it('[cli-4.4] --version says the KubeEdge release it follows and its own version', async () => {
    expect((await run('--version')).out).toMatch(/^KubeEdge v1\.23\.1 \(@edge\/cli \d+\.\d+\.\d+, Node\.js \d+\.\d+\.\d+\)\n$/);
  });

  it('[cli-4.5] modules lists what the agent is made of; --check finds that they fit', async () => {
    const { code, out, err } = await run('modules', '--check');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const name of ['edgehub', 'metamanager', 'metaserver', 'eventbus', 'devicetwin', 'edged']) expect(out).toMatch(new RegExp(`^${name}\\s+@edge/${name}\\s+\\d+\\.\\d+\\.\\d+\\s+@edge/core \\^`, 'm'));
    const json = JSON.parse((await run('modules', '--json')).out) as { problems: unknown[]; modules: { wire: object }[] };
    expect(json.problems).toEqual([]);
    expect(json.modules[0]?.wire).toEqual({ module: 'websocket', group: 'hub' });
  });

  it('[roles-2.12] modules ends with code 1 and the reason when there is no such configuration', async () => {
    const { code, err } = await run('modules', '--config', '/no/such/edgecore.yaml');
    expect(code).toBe(1);
    expect(err).toMatch(/^Error: .*\/no\/such\/edgecore\.yaml/);
  });

  it('[cli-4.6] a missing configuration: one fatal line that names the file, exit code 1', () => {
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, '--config', '/no/such/edgecore.yaml'], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^F\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ edgecore\.ts:1\] .*\/no\/such\/edgecore\.yaml/);
  });

  it('[cli-4.7] the first signal stops in order, a second one at once', async () => {
    const stuck = fileURLToPath(new URL('../dist-bundle/test/stuck-main.mjs', import.meta.url));
    const child = spawn(process.execPath, [stuck], { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    child.stderr.on('data', (chunk) => (log += String(chunk)));
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(1);
    expect(log).toMatch(/stopping on signal signal="SIGTERM"[\s\S]*second signal/);
  });
});

describe('words on the command line', () => {
  it.each([
    [['bogus'], 'unknown command "bogus"; there are dev, '],
    [['modules', 'foo'], 'unexpected "foo": it belongs to no flag'],
    [['dev', '/tmp/d2', 'second'], 'unexpected "/tmp/d2 second"'],
    [['dev', '--runtime', 'docker'], '--runtime is "docker", it must be auto, cri or process\nAll flags: edgecore dev --help'],
    [['dev', '--node', 'Bad_Name!'], '--node is "Bad_Name!"'],
    [['dev', '--port-base', 'abc'], '--port-base is "abc"'],
  ])('[cli-4.8] %j is refused with what is wrong', async (args, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(message);
  });
});
