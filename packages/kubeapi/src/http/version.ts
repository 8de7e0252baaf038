import type { VersionInfo } from '../types/server.js';

/** Complete version document. The numbers say which generation of clients to expect, not what is built in. */
export function serverVersion(given: Partial<VersionInfo> = {}): VersionInfo {
  return {
    major: '1', minor: '30', gitVersion: 'v1.30.0-edge', gitCommit: '', gitTreeState: 'clean', buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node${process.versions.node}`, compiler: 'node', platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`, ...given,
  };
}
