import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A network of its own, made with iproute2, where this user may make one; the tables of the unit tests hold everywhere. */
const namespace = `edge-envcheck-${process.pid}`;
const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function canMakeNetworks(): boolean {
  try {
    ip('netns', 'add', namespace);
  } catch {
    return false;
  }
  try {
    ip('-n', namespace, 'link', 'add', 'probe0', 'type', 'veth', 'peer', 'name', 'probe1');
    ip('-n', namespace, 'link', 'del', 'probe0');
    return true;
  } catch {
    ip('netns', 'del', namespace);
    return false;
  }
}

const possible = process.platform === 'linux' && canMakeNetworks();

describe.runIf(possible)('in a network of its own', () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'envcheck-'));
    program = join(folder, 'ask.mjs');
    const tsconfig = fileURLToPath(new URL('../../../tsconfig.base.json', import.meta.url));
    const entry = fileURLToPath(new URL('./fixtures/ask.ts', import.meta.url));
    const shim = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";
    await build({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm', target: 'node20', tsconfig, banner: { js: shim }, logLevel: 'error' });
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    // Two cards, each with its other end in the same namespace, and a container bridge.
    for (const [name, peer] of [['wan0', 'wan1'], ['lan0', 'lan1']] as const) {
      ip('-n', namespace, 'link', 'add', name, 'type', 'veth', 'peer', 'name', peer);
      ip('-n', namespace, 'link', 'set', peer, 'up');
      ip('-n', namespace, 'link', 'set', name, 'up');
    }
    ip('-n', namespace, 'addr', 'add', '198.51.100.5/24', 'dev', 'lan0');
    ip('-n', namespace, 'addr', 'add', '203.0.113.5/24', 'dev', 'wan0');
    ip('-n', namespace, 'addr', 'add', '2001:db8::5/64', 'dev', 'wan0', 'nodad');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const ask = (question: { customInterfaceName?: string; nodeIP?: string; hostname?: string }): unknown =>
    JSON.parse(execFileSync('ip', ['netns', 'exec', namespace, process.execPath, program, JSON.stringify(question)], { encoding: 'utf8' }));

  it('[envcheck-7.1] without a default route any address is taken', () => {
    expect(ask({})).toMatchObject({ source: 'any', address: expect.stringMatching(/^(198\.51\.100|203\.0\.113)\.5$/) });
  });

  it('[envcheck-7.2] the default route decides, for IPv4', () => {
    ip('-n', namespace, 'route', 'add', 'default', 'via', '203.0.113.1', 'dev', 'wan0', 'metric', '50');
    expect(ask({})).toMatchObject({ source: 'default-route', address: '203.0.113.5' });
    ip('-n', namespace, 'route', 'add', 'default', 'via', '198.51.100.1', 'dev', 'lan0', 'metric', '10');
    expect(ask({})).toMatchObject({ source: 'default-route', address: '198.51.100.5' });
  });

  it('[envcheck-7.3] a configured interface and a configured address go before it', () => {
    expect(ask({ customInterfaceName: 'wan0' })).toMatchObject({ source: 'custom-interface', address: '203.0.113.5' });
    expect(ask({ nodeIP: '2001:DB8:0::5' })).toMatchObject({ source: 'node-ip', address: '2001:db8::5' });
    expect(ask({ nodeIP: '203.0.113.6' })).toMatchObject({ code: 'envcheck.node-ip-invalid' });
    expect(ask({ customInterfaceName: 'nope0' })).toMatchObject({ code: 'envcheck.interface-unusable' });
  });

  it('[envcheck-7.4] with an IPv6 default route alone it is the IPv6 address', () => {
    ip('-n', namespace, 'route', 'flush', 'default');
    ip('-n', namespace, '-6', 'route', 'add', 'default', 'via', '2001:db8::1', 'dev', 'wan0');
    expect(ask({})).toMatchObject({ source: 'default-route', address: '2001:db8::5' });
  });

  it('[envcheck-7.5] a name server that does not answer costs two seconds and no more, and the start goes on', () => {
    const answer = ask({ hostname: 'no-such-host.example' }) as { source: string; waited: number };
    expect(answer.source).toBe('default-route');
    expect(answer.waited).toBeLessThan(10_000);
  });

  it('[envcheck-7.6] with the cable out there is no address and no error', () => {
    ip('-n', namespace, 'link', 'set', 'wan0', 'down');
    ip('-n', namespace, 'link', 'set', 'lan0', 'down');
    expect(ask({})).toEqual({ addresses: [], source: 'none', waited: expect.any(Number) });
  });
});

afterAll(() => {
  if (possible) ip('netns', 'del', namespace);
});
