import type { ModuleDefinition } from '@edge/core';
import { expect, it } from 'vitest';
import { standing } from './standing.js';

it('[roles-3.2] a problem of the start stands until its role is swapped; one that was superseded never does', () => {
  const hub = { name: 'edgehub' } as ModuleDefinition;
  const problem = { problem: 'load', text: 'it throws' };
  const problems = [
    { ...problem, module: 'edgehub', roles: ['edgehub'], instead: 'the built-in module plays edgehub' },
    { ...problem, module: 'gauge', roles: ['gauge'], instead: 'gauge does not run' },
    { ...problem, module: 'eventbus', roles: ['eventbus'], instead: 'the built-in module plays eventbus', superseded: true },
    { ...problem, module: '', roles: [], instead: 'what can be read of it counts' },
  ];
  expect(standing({ modules: [hub], problems }, [hub])).toEqual([
    { what: 'role edgehub', why: 'it throws; the built-in module plays edgehub' },
    { what: 'role gauge', why: 'it throws; gauge does not run' },
    { what: 'role file', why: 'it throws; what can be read of it counts' },
  ]);
  expect(standing({ modules: [hub], problems }, [{ ...hub }]).map(({ what }) => what)).toEqual(['role gauge', 'role file']);
});
