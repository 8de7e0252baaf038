import { describe, expect, it } from 'vitest';
import { flagList } from './help.js';
import { parseFlags } from './parse.js';
import { AGENT_FLAGS, DEFAULT_CONFIG_PATH } from './spec.js';

const read = (...args: string[]): Readonly<Record<string, string>> => parseFlags(AGENT_FLAGS, args).values;

describe('flags', () => {
  it.each([
    [['--config', '/x.yaml'], { config: '/x.yaml' }],
    [['--config=/x=y.yaml'], { config: '/x=y.yaml' }],
    [['-v', '4'], { v: '4' }],
    [['-v4'], { v: '4' }],
    [['-v=4'], { v: '4' }],
    [['--v=4'], { v: '4' }],
    [['--minconfig'], { minconfig: 'true' }],
    [['--minconfig=False'], { minconfig: 'False' }],
    [['--vmodule=edgehub=4,bus*=2'], { vmodule: 'edgehub=4,bus*=2' }],
    [['--log_flush_frequency=10s'], { 'log-flush-frequency': '10s' }],
    [['ignored', '-h', 'too'], { help: 'true' }],
  ])('[cli-1.1] %j is read as the Go program reads it', (args, wanted) => {
    expect(read(...args)).toMatchObject(wanted);
  });

  it('[cli-1.2] fills in defaults', () => {
    expect(read()).toEqual({ config: DEFAULT_CONFIG_PATH, v: '0', 'log-flush-frequency': '5s' });
  });

  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['--config'], 'flag needs an argument: --config'],
    [['-v'], 'flag needs an argument: -v'],
    [['--v=much'], 'invalid argument "much" for "-v, --v" flag: "much" is not an integer'],
    [['--minconfig=maybe'], 'invalid argument "maybe" for "--minconfig" flag: "maybe" is not a boolean; use true or false'],
    [['--vmodule=edgehub'], 'invalid argument "edgehub" for "--vmodule" flag: "edgehub" is not pattern=N[,pattern=N...]'],
  ])('[cli-1.3] %j is refused with the reason', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });

  it('[cli-1.4] everything behind -- is positional', () => {
    expect(parseFlags(AGENT_FLAGS, ['--', '--nope', '-x'])).toMatchObject({ positional: ['--nope', '-x'] });
  });

  it('[cli-1.5] lists flags sorted and wrapped to the terminal', () => {
    const lines = flagList(AGENT_FLAGS, 96).trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(96);
    const names = [...flagList(AGENT_FLAGS).matchAll(/--([a-z-]+)/g)].map((match) => match[1]);
    expect(names).toEqual([...names].sort());
    expect(flagList(AGENT_FLAGS)).toContain('  -v, --v Level ');
  });
});
