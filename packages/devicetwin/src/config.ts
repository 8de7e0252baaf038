import { dirname, join } from 'node:path';
import { EdgeError, token, type Token } from '@edge/core';
import { defaultDmiSettings, type DmiSettings } from './dmi/settings.js';

/** The slice `modules.deviceTwin`, with `edge.deviceTwin`. */
export interface DeviceTwinConfig {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
  /** The socket that mappers call: `dmi.sock` in the directory of `dmiSockPath`. Default `/etc/kubeedge/dmi.sock`. */
  readonly dmiSocket: string;
  /** A reported value that equals what stands is neither stored nor sent to the cloud; its result is published all the same. Default true; false is upstream's way. */
  readonly skipUnchanged: boolean;
  /** Values may hold any characters, up to 64 KiB. Default false: letters, digits and `- _ . , : / @ #`, up to 512. */
  readonly anyValue: boolean;
  /** Default: 5000 calls a second for each mapper, 10,000 at once; lists and objects in `configData` are refused. */
  readonly dmi: DmiSettings;
}

export const DeviceTwinConfig: Token<DeviceTwinConfig> = token<DeviceTwinConfig>('devicetwin', 'DeviceTwinConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.deviceTwin';
const OWN_PATH = 'edge.deviceTwin';
const DEFAULT_SOCKET_PATH = '/etc/kubeedge/';

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads the slice; what is missing gets its default.
 * @throws EdgeError `config.invalid` naming the member
 */
export function parseDeviceTwinConfig(raw: unknown, root: Members): DeviceTwinConfig {
  const slice = section(CONFIG_PATH, raw);
  const own = section(OWN_PATH, section('edge', root['edge'])['deviceTwin']);
  return {
    enable: flag(CONFIG_PATH, slice, 'enable', true),
    dmiSocket: socketPath(slice['dmiSockPath']),
    skipUnchanged: flag(OWN_PATH, own, 'skipUnchanged', true),
    anyValue: flag(OWN_PATH, own, 'anyValue', false),
    dmi: dmiSettings(section(`${OWN_PATH}.dmi`, own['dmi'])),
  };
}

function section(path: string, value: unknown): Members {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(path, value, 'a section');
  return value as Members;
}

function flag(path: string, from: Members, name: string, initial: boolean): boolean {
  const value = from[name] ?? initial;
  if (typeof value !== 'boolean') throw invalid(`${path}.${name}`, value, 'true or false');
  return value;
}

function dmiSettings(from: Members): DmiSettings {
  const path = `${OWN_PATH}.dmi`;
  const nestedConfig = from['nestedConfig'] ?? defaultDmiSettings.nestedConfig;
  if (nestedConfig !== 'refuse' && nestedConfig !== 'json') throw invalid(`${path}.nestedConfig`, nestedConfig, 'refuse or json');
  return { nestedConfig, callsPerSecond: positive(path, from, 'callsPerSecond', defaultDmiSettings.callsPerSecond), burst: positive(path, from, 'burst', defaultDmiSettings.burst) };
}

function positive(path: string, from: Members, name: string, initial: number): number {
  const value = from[name] ?? initial;
  if (typeof value !== 'number' || !(value >= 1)) throw invalid(`${path}.${name}`, value, 'a number of at least 1');
  return value;
}

/** Of a value that ends in `.sock` only the directory counts. */
function socketPath(value: unknown): string {
  // Go treats an empty string as absent.
  const path = value === undefined || value === null || value === '' ? DEFAULT_SOCKET_PATH : value;
  if (typeof path !== 'string') throw invalid(`${CONFIG_PATH}.dmiSockPath`, value, 'a path');
  return join(path.endsWith('.sock') ? dirname(path) : path, 'dmi.sock');
}

function invalid(path: string, value: unknown, expected: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${expected}`);
}
