import type { Plugin } from 'esbuild';

export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly folder: string;
}

export declare const LICENCES_FILE: string;
export declare function thirdParty(folder: string): Plugin;
export declare function packagesOf(files: readonly string[]): ThirdParty[];
export declare function licences(packages: readonly ThirdParty[]): string;
