import { describeModule } from '@edge/testing';
import { expect, it } from 'vitest';
import { edgestream } from '../src/index.js';

describeModule(edgestream, async () => ({ config: { modules: { edgeStream: { enable: true, server: '127.0.0.1:1' } } } }));

it('[edgestream-1.1] is off unless it is switched on, and refuses settings that are none, saying what would be right', () => {
  const { parse } = edgestream.config;
  expect(edgestream.enabled(parse(undefined, {}))).toBe(false);
  expect(parse({ enable: true, server: '[2001:db8::1]:10004' }, {})).toMatchObject({ enable: true, server: { host: '2001:db8::1', port: 10_004 } });
  expect(() => parse({ server: 'cloud' }, {})).toThrow('modules.edgeStream.server is "cloud", it must be host:port');
  expect(() => parse({ server: 'cloud:70000' }, {})).toThrow('host:port');
  expect(() => parse({ enable: 'yes' }, {})).toThrow('modules.edgeStream.enable is "yes", it must be true or false');
  expect(() => parse({ handshakeTimeout: 0 }, {})).toThrow('handshakeTimeout is 0');
});
