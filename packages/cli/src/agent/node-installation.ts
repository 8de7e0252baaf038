import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setFields, type EdgeCoreConfig, type HostFacts } from '@edge/config';
import type { Logger } from '@edge/core';
import { openInstallation, replaceFile, syncFolder, type Installation } from '@edge/upgrade';

/** What a change of the installation needs to know of the agent whose installation it is. */
export interface AgentData {
  readonly config: EdgeCoreConfig;
  readonly configPath: string;
  readonly host: HostFacts;
  /** Copies the database to a file while it is in use; the agent itself can, nobody else. */
  readonly copyDatabase?: (to: string) => Promise<void>;
  readonly log: Logger;
}

/** What an order may set besides the configuration. */
export interface SourceFlags {
  readonly registry?: string | undefined;
  readonly from?: string | undefined;
}

/** @throws EdgeError `upgrade.no-installation` */
export function openNodeInstallation(root: string, { config, configPath, host, copyDatabase, log }: AgentData, flags: SourceFlags = {}): Promise<Installation> {
  const { registry, readyTimeoutSeconds, settleSeconds } = config.edge.upgrade;
  return openInstallation(root, {
    source: { registry: flags.registry ?? (registry === '' ? undefined : registry), from: flags.from },
    databasePath: config.database.dataSource,
    readyTimeoutSeconds,
    settleSeconds,
    editConfiguration: (text, fields) => setFields(text, fields, host),
    copyData: copyDatabase && (async (folder) => {
      const next = `${folder}.next`;
      await rm(next, { recursive: true, force: true });
      await mkdir(next, { recursive: true, mode: 0o700 });
      await copyDatabase(join(next, 'edgecore.db'));
      await replaceFile(join(next, 'edgecore.yaml'), await readFile(configPath));
      await rm(folder, { recursive: true, force: true });
      await rename(next, folder);
      await syncFolder(dirname(folder));
    }),
    log,
  });
}
