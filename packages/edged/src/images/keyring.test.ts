import { describe, expect, it } from 'vitest';
import { parseImageName } from './image-name.js';
import { credentialsFor, parseDockerConfig } from './keyring.js';

const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** User names of the credentials for an image, in the order in which they are tried. */
function users(image: string, auths: Record<string, unknown>): (string | undefined)[] {
  return credentialsFor(parseImageName(image), parseDockerConfig({ auths }, 'config')).map(({ username }) => username);
}

describe('registry credentials', () => {
  it('[edged-23.3] the most specific pattern comes first, others of the same image after it', () => {
    const auths = {
      'registry.example': { username: 'all' },
      'registry.example/team': { username: 'team' },
      'registry.example/team/app': { username: 'app' },
      'registry.example/other': { username: 'other' },
      'registry.example:5000': { username: 'port' },
    };
    expect(users('registry.example/team/app:1', auths)).toEqual(['app', 'team', 'all']);
    expect(users('registry.example:5000/team/app:1', auths)).toEqual(['port']);
    expect(users('elsewhere.example/team/app', auths)).toEqual([]);
  });

  it('[edged-23.4] scheme, API version and a slash at the end mean nothing; a star stands for one part of a host name', () => {
    expect(users('registry.example/app', { 'https://registry.example/v2/': { username: 'a' } })).toEqual(['a']);
    expect(users('registry.example:5000/x/app', { 'http://registry.example:5000/v1/x/': { username: 'a' } })).toEqual(['a']);
    expect(users('eu.registry.example/app', { '*.registry.example': { username: 'star' } })).toEqual(['star']);
    expect(users('registry.example/app', { '*.registry.example': { username: 'star' } })).toEqual([]);
    expect(users('a.b.registry.example/app', { '*.registry.example': { username: 'star' } })).toEqual([]);
  });

  it.each(['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'])('[edged-23.5] %s is where names without a registry lead', (pattern) => {
    expect(users('busybox', { [pattern]: { username: 'hub' } })).toEqual(['hub']);
    expect(users('quay.io/busybox', { [pattern]: { username: 'hub' } })).toEqual([]);
  });

  it('[edged-23.6] user and password come from "auth" or stand for themselves; a broken entry does not spoil the others', () => {
    const ring = parseDockerConfig(
      { 'a.example': { auth: encoded('me:pass:word') }, 'b.example': { username: 'you', password: 'p' }, 'c.example': { auth: '!' }, 'd.example': null, 'e.example': { identitytoken: 't' } },
      'dockercfg',
    );
    expect(ring.map(({ host, auth }) => ({ host, ...auth }))).toEqual([
      { host: 'a.example', username: 'me', password: 'pass:word' },
      { host: 'b.example', username: 'you', password: 'p' },
      { host: 'e.example', identityToken: 't' },
    ]);
    for (const odd of [undefined, null, 7, [], { auths: 'x' }]) expect(parseDockerConfig(odd, 'config')).toEqual([]);
  });
});
