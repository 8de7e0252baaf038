import { describe, expect, it } from 'vitest';
import { buildEnvironment, environmentScript } from './environment.js';

const build = (...pairs: [string, string][]): ReturnType<typeof buildEnvironment> =>
  buildEnvironment(
    pairs.map(([name, value]) => ({ name, value })),
    { path: '/bin', root: '/r' },
  );

describe('the variables of a container', () => {
  it('[edged-process-env-1] are as given, with PATH and HOME where missing, and EDGE_ROOT', () => {
    expect(build(['A', '1']).all).toEqual({ A: '1', PATH: '/bin', HOME: '/r', EDGE_ROOT: '/r' });
    expect(build(['PATH', '/x'], ['HOME', ''], ['A', '1'], ['A', '2']).all).toEqual({ A: '2', PATH: '/x', HOME: '', EDGE_ROOT: '/r' });
  });

  it('[edged-process-env-2] that a shell would drop, change or obey go another way', () => {
    const odd = ['a.b', 'x-y', '1st', 'IFS', 'PWD', 'LD_PRELOAD', 'BASH_ENV', 'PS4', '_'];
    const environment = build(...odd.map((name): [string, string] => [name, 'v']), ['PLAIN', 'v']);
    expect(environment.odd.map(([name]) => name).sort()).toEqual([...odd].sort());
    expect(Object.keys(environment.plain).sort()).toEqual(['EDGE_ROOT', 'HOME', 'PATH', 'PLAIN']);
  });

  it('[edged-process-env-3] are quoted so that no value can break out', () => {
    expect(environmentScript(build(['A', '1']))).toBe('');
    expect(environmentScript(build(['a.b', `it's "$x"\n`]))).toBe(`set -- /usr/bin/env 'a.b=it'\\''s "$x"\n' "$@"\n`);
  });
});
