import { basename, dirname, join } from 'node:path';
import { BOOTSTRAP_FILE, type EdgeCoreConfig } from '@edge/config';
import { OPENRC_LOG_PATH } from '@edge/upgrade';
import { controlSocket, modulesFolder } from '../control/control-paths.js';
import { ROLE_FILE, roleFilePath } from '../modules/role-file.js';
import type { Places } from './places.js';

/** Files of the agent besides those of pods and of the installation. */
export interface ResetPlan {
  /** Single files. */
  readonly files: readonly string[];
  /** In each of the folders, what has such a name. */
  readonly named: readonly { readonly folder: string; readonly name: RegExp }[];
  /** Folders that hold nothing else than what the agent puts there. */
  readonly trees: readonly string[];
  /** Has a folder for each role, with the versions of its module that swaps have fetched; another program may use the name, too. */
  readonly versions: string;
  /** Folders that go when nothing is left in them. */
  readonly ifEmpty: readonly string[];
}

/** Beside a file: drafts of it, and a draft of the configuration that was cut off. */
const NEXT = ['.next', '.new'];

/**
 * All that the agent writes by this configuration; everything else in the same folders stays. Pure.
 * @param config with paths of the machine
 */
export function resetPlan(config: EdgeCoreConfig, places: Places): ResetPlan {
  const { at } = places;
  const { edgeHub, deviceTwin, edged } = config.modules;
  const { edge } = config;
  const database = at(config.database.dataSource);
  const key = at(edge.metaManager.tokenKeyFile || `${config.database.dataSource}.token-key`);
  const socketFolder = deviceTwin.dmiSockPath.endsWith('.sock') ? dirname(deviceTwin.dmiSockPath) : deviceTwin.dmiSockPath;
  const certificates = [edgeHub.tlsCaFile, edgeHub.tlsCertFile, edgeHub.tlsPrivateKeyFile].map(at);
  const metaServer = at(edge.metaServer.certificateDirectory);
  const token = at(edge.kubeletApi.tokenFile);
  const state = at('/etc/kubeedge');
  const manifests = edged.tailoredKubeletConfig.staticPodPath;
  const files = [places.configPath, roleFilePath(places.configPath), at(BOOTSTRAP_FILE), ...certificates, key, token, controlSocket(database), at(OPENRC_LOG_PATH)];
  return {
    files: [...files, ...files.flatMap((path) => NEXT.map((ending) => path + ending)), ...['idempotency_record', 'upgrade_report.json'].map((name) => join(state, name))],
    named: [
      { folder: dirname(database), name: new RegExp(`^${escaped(basename(database))}(-wal|-shm|-journal|\\.probe|\\.salvaging|\\.new(-wal|-shm|-journal)?|\\.(corrupt|after)-.*)?$`) },
      { folder: dirname(places.configPath), name: new RegExp(`^\\.${escaped(basename(places.configPath))}\\.[0-9a-f-]{36}$`) },
      { folder: dirname(places.configPath), name: new RegExp(`^\\.${escaped(ROLE_FILE)}\\.\\d+\\.next$`) },
      { folder: metaServer, name: /^(ca\.crt|metaserver-(current|[\d-]+)\.pem)(\.next)?$/ },
      { folder: at(socketFolder), name: /^(dmi\.sock|\.d[0-9a-f]{6})$/ },
    ],
    trees: [join(state, 'backup'), join(state, 'upgrade')],
    versions: modulesFolder(database),
    ifEmpty: [
      ...[database, key, token, ...certificates].map((path) => dirname(path)),
      metaServer,
      ...(manifests ? [at(manifests)] : []),
      at(edged.rootDirectory),
      ...['/etc/kubeedge/pki', '/etc/kubeedge/ca', '/etc/kubeedge/certs', '/etc/kubeedge/config', '/etc/kubeedge', '/var/lib/kubeedge', '/var/log/kubeedge'].map(at),
    ],
  };
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
