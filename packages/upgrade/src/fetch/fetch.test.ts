import { describe, expect, it } from 'vitest';
import { readDigest } from './digest.js';
import { checkLock } from './lock-file.js';
import { npmFailure } from './npm-failure.js';
import { byVersion, versionLabel, versionName } from '../layout/version-name.js';

describe('digests', () => {
  const hex = 'ab'.repeat(64);
  it.each([
    [`sha512:${hex}`, 'sha512', hex],
    [`sha512:${hex.toUpperCase()}`, 'sha512', hex],
    [`sha512-${Buffer.from(hex, 'hex').toString('base64')}`, 'sha512', hex],
    [` sha256:${'0f'.repeat(32)}`, 'sha256', '0f'.repeat(32)],
  ])('[upgrade-6.1] %s', (text, algorithm, value) => {
    expect(readDigest(text)).toEqual({ algorithm, hex: value });
  });

  it.each(['', 'sha256:', `sha256:${'0f'.repeat(31)}`, 'md5:00', `sha512:${'x'.repeat(128)}`, 'sha512-AAAA'])('[upgrade-6.2] "%s" is none', (text) => {
    expect(() => readDigest(text)).toThrow(expect.objectContaining({ code: 'upgrade.bad-digest' }));
  });
});

describe('versions', () => {
  it('[upgrade-6.3] are read with and without v, and nothing else is', () => {
    expect(['v1.23.1', '1.24.0-rc.1', 'v2.0.0+build.5'].map(versionName)).toEqual(['1.23.1', '1.24.0-rc.1', '2.0.0']);
    expect(versionLabel('1.2.3')).toBe('v1.2.3');
    for (const text of ['', 'latest', '1.2', '../1.2.3', '1.2.3/..', 'v1.2.3-../x', '1.2.3 --foo']) expect(() => versionName(text)).toThrow(expect.objectContaining({ code: 'upgrade.bad-version' }));
    expect(['1.9.0', '1.10.0', '2.0.0-rc.1', '2.0.0'].sort(byVersion)).toEqual(['2.0.0', '2.0.0-rc.1', '1.10.0', '1.9.0']);
  });
});

describe("npm's lock file", () => {
  const packages = { '': {}, 'node_modules/@edge/cli': { version: '1.0.0', integrity: 'sha512-A' }, 'node_modules/x': { version: '3.0.0', integrity: 'sha512-B' }, 'node_modules/x/node_modules/y': { inBundle: true } };
  it('[upgrade-6.4] needs a digest for each package', () => {
    expect(checkLock(JSON.stringify({ packages }), '@edge/cli', '1.0.0')).toBe('sha512-A');
    const bare = { ...packages, 'node_modules/@a/b': { version: '1.0.0' }, 'node_modules/x/node_modules/z': { version: '1.0.0' } };
    expect(() => checkLock(JSON.stringify({ packages: bare }), '@edge/cli', '1.0.0')).toThrow('there is no digest for @a/b, z: they cannot be checked');
    expect(() => checkLock(JSON.stringify({ packages }), '@edge/cli', '1.0.1')).toThrow('@edge/cli 1.0.1 was asked for, 1.0.0 came');
    expect(() => checkLock('{}', '@edge/cli', '1.0.1')).toThrow('nothing came');
  });
});

describe('what npm says', () => {
  it.each([
    ['npm error code ETARGET\nnpm error notarget No matching version found for @edge/cli@9.9.9.', 'upgrade.no-version', 'it is not there'],
    ['npm error code E404\nnpm error 404 Not Found', 'upgrade.no-version', 'it is not there'],
    ['npm error code EINTEGRITY\nnpm error sha512-x integrity checksum failed', 'upgrade.integrity', 'not what the registry announces'],
    ['npm error code ENOSPC\nnpm error ENOSPC: no space left on device, write', 'upgrade.disk-full', 'the disk is full'],
    ['npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write', 'upgrade.disk-full', 'the disk is full'],
    ['npm error code EBADENGINE\nnpm error Unsupported engine', 'upgrade.unusable', 'does not run on Node.js'],
    ['npm error code ECONNREFUSED\nnpm error connect', 'upgrade.no-source', 'the registry does not answer'],
    ['npm error code E403\nnpm error 403', 'upgrade.no-source', 'refuses access'],
    ['something else', 'upgrade.npm', 'something else'],
  ])('[upgrade-6.5] %j is %s', (said, code, text) => {
    const error = npmFailure(['install'], 'https://me:secret@registry.example/', said);
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) as string });
    expect(error.message).not.toContain('secret');
  });
});
