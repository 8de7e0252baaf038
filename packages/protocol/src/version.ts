import manifest from '../package.json' with { type: 'json' };

/** Version of this package, for the compatibility check before start. */
export const PROTOCOL_VERSION: string = manifest.version;
