import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { token } from './token.js';

it('[core-2.1] a token is the same for every copy of a package and names the major version of core', () => {
  expect(token('edgehub', 'CloudChannel')).toBe(token('edgehub', 'CloudChannel'));
  expect(token('edgehub', 'CloudChannel')).not.toBe(token('edged', 'CloudChannel'));
  expect(String(token('edgehub', 'CloudChannel'))).toBe(`Symbol(@edge/edgehub@${manifest.version.split('.')[0]}:CloudChannel)`);
});
