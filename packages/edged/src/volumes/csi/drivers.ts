import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText, isAbort, sleep, type Logger } from '@edge/core';
import { edgedError } from '../../errors.js';
import { callSocket } from './call.js';
import { CAPABILITIES, EMPTY, PLUGIN_INFO, REGISTRATION_STATUS } from './messages.js';
import type { Fields, Schema } from './wire.js';

/** Between looks at the folder where drivers announce themselves. */
const SCAN_MS = 10_000;

/** A CSI driver that runs on this node. */
export interface CsiDriver {
  readonly name: string;
  call(service: 'Node' | 'Controller', method: string, request: Schema, answer: Schema, message: Fields, signal: AbortSignal): Promise<Fields>;
  /** Numbers of the capabilities of a service. */
  capabilities(service: 'Node' | 'Controller', signal: AbortSignal): Promise<ReadonlySet<number>>;
}

/** Knows the CSI drivers of the node: each has a socket in `plugins_registry`, asks there to be registered and is told that it is. */
export class CsiDrivers {
  readonly #folder: string;
  readonly #log: Logger;
  /** By path of the registration socket; another inode is another run of the driver. */
  readonly #registered = new Map<string, { inode: number; driver: CsiDriver | undefined }>();
  #scanning: Promise<void> | undefined;

  constructor(deps: { root: string; log: Logger }) {
    this.#folder = join(deps.root, 'plugins_registry');
    this.#log = deps.log;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.scan(signal);
      await sleep(SCAN_MS, signal);
    }
  }

  /** @throws EdgeError `edged.csi` when there is none of that name */
  async find(name: string, signal: AbortSignal): Promise<CsiDriver> {
    const known = this.#all().find((driver) => driver.name === name);
    if (known) return known;
    await this.scan(signal);
    const found = this.#all().find((driver) => driver.name === name);
    if (found) return found;
    throw edgedError('edged.csi', `driver name ${name} not found in the list of registered CSI drivers: it has announced itself by no socket in ${this.#folder}`);
  }

  /** The one that does what the cloud asks for without naming a driver: the only one there is, else the one that upstream always takes. */
  async default(signal: AbortSignal): Promise<CsiDriver> {
    await this.scan(signal);
    const [first, ...others] = this.#all();
    return first && others.length === 0 ? first : this.find('csi-hostpath', signal);
  }

  /** Looks once; calls while one looks share it. */
  scan(signal: AbortSignal): Promise<void> {
    return (this.#scanning ??= this.#scan(signal).finally(() => (this.#scanning = undefined)));
  }

  #all(): CsiDriver[] {
    return [...this.#registered.values()].flatMap(({ driver }) => driver ?? []);
  }

  async #scan(signal: AbortSignal): Promise<void> {
    const present = new Map<string, number>();
    for (const name of await list(this.#folder)) {
      const found = await stat(join(this.#folder, name)).catch(() => undefined);
      if (found?.isSocket() && !name.startsWith('.')) present.set(join(this.#folder, name), found.ino);
    }
    for (const socket of this.#registered.keys()) if (!present.has(socket)) this.#registered.delete(socket);
    for (const [socket, inode] of present) {
      if (this.#registered.get(socket)?.inode === inode) continue;
      try {
        this.#registered.set(socket, { inode, driver: await this.#register(socket, signal) });
      } catch (error) {
        if (isAbort(error)) throw error;
        // A socket that a driver has left behind stays; its next run makes another.
        this.#registered.delete(socket);
        this.#log.verbose(1, 'plugin not registered, tried again', { socket, err: errorText(error) });
      }
    }
  }

  /** Undefined for plugins of other kinds. */
  async #register(socket: string, signal: AbortSignal): Promise<CsiDriver | undefined> {
    const service = '/pluginregistration.Registration';
    const info = await callSocket(socket, { method: `${service}/GetInfo`, request: EMPTY, answer: PLUGIN_INFO }, {}, signal);
    if (info['type'] !== 'CSIPlugin') return undefined;
    const name = (info['name'] as string | undefined) ?? '';
    const versions = (info['supported_versions'] as string[] | undefined) ?? [];
    const fits = versions.some((version) => /^v?1\./.test(version));
    const verdict = fits ? { plugin_registered: true } : { error: `CSI driver ${name} speaks ${versions.join(', ')}, version 1 is needed` };
    await callSocket(socket, { method: `${service}/NotifyRegistrationStatus`, request: REGISTRATION_STATUS, answer: EMPTY }, verdict, signal);
    if (!fits) return undefined;
    this.#log.info('CSI driver registered', { driver: name });
    return driverAt(name, (info['endpoint'] as string | undefined) || socket);
  }
}

function driverAt(name: string, socket: string): CsiDriver {
  const call: CsiDriver['call'] = (service, method, request, answer, message, signal) => callSocket(socket, { method: `/csi.v1.${service}/${method}`, request, answer }, message, signal);
  return {
    name,
    call,
    capabilities: async (service, signal) => {
      const { capabilities = [] } = await call(service, `${service}GetCapabilities`, EMPTY, CAPABILITIES, {}, signal);
      return new Set((capabilities as { rpc?: { type?: number } }[]).map(({ rpc }) => rpc?.type ?? 0));
    },
  };
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
