import { join } from 'node:path';
import { root } from './root.js';
import type { Registry } from './registry.js';
import { mustRun } from './run.js';

/** Publishes the packages of a workspace, as a release does, which builds them where they are from sources. */
export async function publishAll(workspace: string, registry: Registry): Promise<void> {
  await mustRun(process.execPath, [join(root, 'tools', 'release.mjs'), '--publish'], workspace, { ...registry.env, GITHUB_REPOSITORY: undefined, ACTIONS_ID_TOKEN_REQUEST_URL: undefined });
}
