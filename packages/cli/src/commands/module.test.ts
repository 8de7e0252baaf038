import { describe, expect, it } from 'vitest';
import { main } from '../program.js';
import { wantedPackage } from './wanted-package.js';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(['module', ...args], { env: {}, out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

describe('edgecore module', () => {
  it.each([
    ['1.4.2', { name: '@edge/metamanager', version: '1.4.2' }],
    ['v1.4.2-rc.1', { name: '@edge/metamanager', version: '1.4.2-rc.1' }],
    ['@acme/clock', { name: '@acme/clock' }],
    ['clock@2.0.0', { name: 'clock', version: '2.0.0' }],
    ['@acme/clock@v2.0.0', { name: '@acme/clock', version: '2.0.0' }],
  ])('[cli-9.1] %s is a version of the package that has the role, or another package', (text, wanted) => {
    expect(wantedPackage(text, '@edge/metamanager')).toEqual(wanted);
  });

  it.each(['', '@', '../clock', 'Clock@1.0.0', '@acme/clock@latest', '@acme/clock@^1.0.0', 'clock --foo', 'file:/tmp/x.tgz', 'git+https://x'])('[cli-9.2] "%s" is neither', (text) => {
    expect(() => wantedPackage(text, '@edge/metamanager')).toThrow(expect.objectContaining({ code: 'cli.flag', message: expect.stringContaining('write a version as 1.4.2') as string }));
  });

  it.each([
    [[], 'needs "list" or "swap"'],
    [['turn'], 'needs "list" or "swap", not "turn"'],
    [['--json'], 'unknown flag: --json'],
    [['list', 'all'], 'unexpected "all"'],
    [['swap'], 'needs a role'],
    [['swap', 'metamanager'], 'needs a role, and either a version, a package (perhaps with @version), or --built-in'],
    [['swap', 'metamanager', '1.0.0', '--built-in'], 'needs a role, and either'],
    [['swap', 'metamanager', '1.0.0', 'more'], 'needs a role, and either'],
    [['swap', 'metamanager', '1.0.0', '--timeout=0'], '--timeout is "0", it must be a number of seconds'],
  ])('[cli-9.3] %j is refused with what would be right', async (args, text) => {
    expect(await run(...args)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(text) as string });
  });

  it('[cli-9.4] explains itself', async () => {
    for (const args of [['--help'], ['list', '-h'], ['swap', '--help']]) {
      expect(await run(...args)).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/taken back by itself[^]*--config/) as string });
    }
  });
});
