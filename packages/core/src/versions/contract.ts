import { PROTOCOL_VERSION } from '@edge/protocol';
import manifest from '../../package.json' with { type: 'json' };
import type { ModuleDefinition } from '../module.js';

/** Package of the contract → its version. */
export type ContractVersions = Readonly<Record<string, string>>;

/** Versions of the contract packages that are loaded. */
export const CONTRACT_VERSIONS: ContractVersions = {
  '@edge/core': manifest.version,
  '@edge/protocol': PROTOCOL_VERSION,
};

/** What of a package.json a module definition carries with it. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * Name, version and ranges of a module, from its own package.json; the build writes them into the package's file.
 * @example defineModule({ ...fromPackage(manifest), name: 'edgehub', … })
 */
export function fromPackage(manifest: PackageManifest): Pick<ModuleDefinition, 'packageName' | 'version' | 'requires'> {
  const ranges = Object.entries(manifest.peerDependencies ?? {}).filter(([name]) => name in CONTRACT_VERSIONS);
  return { packageName: manifest.name, version: manifest.version, requires: Object.fromEntries(ranges) };
}
