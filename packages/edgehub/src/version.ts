import manifest from '../package.json' with { type: 'json' };

/** Version of this package; the build copies it in from package.json. */
export const VERSION: string = manifest.version;
/** Ranges of the contract packages that it was made for. */
export const REQUIRES: Readonly<Record<string, string>> = {
  '@edge/core': manifest.peerDependencies['@edge/core'],
  '@edge/protocol': manifest.peerDependencies['@edge/protocol'],
};
