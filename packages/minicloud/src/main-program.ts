import type { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { errorText, type Logger, silentLogger } from '@edge/core';
import { minicloudError, MinicloudErrors } from './errors.js';
import { startMinicloud } from './minicloud.js';
import type { MinicloudOptions } from './options.js';

/** What the program is connected to. It never touches `process` itself. */
export interface ProgramIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Its end means that the parent is gone, so the program ends as well. Leave it out to run on alone. */
  readonly stdin?: Readable;
  /** Aborted on SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly log?: Logger;
}

/** The one line on stdout, JSON, when everything is open. */
export interface ReadyLine {
  readonly url: string;
  readonly hubAddress: string;
  readonly httpsAddress: string;
  readonly tunnelAddress: string;
  readonly routerUrl: string;
  readonly kubeconfig: string;
  /** Join token at this moment. */
  readonly token: string;
  readonly pid: number;
}

const HOUR_MS = 3_600_000;

/**
 * Runs a cloud side until it is told to stop.
 * @param argv `--data <folder>` and optionally `--host --hub-port --https-port --tunnel-port --router-port --api-port --name (repeatable)
 * --token-ttl-hours --certificate-ttl-hours`
 * @returns the exit code: 0 stopped as told, 1 could not start, 2 wrong arguments
 */
export async function runMinicloud(argv: readonly string[], io: ProgramIo): Promise<number> {
  let options: MinicloudOptions;
  try {
    options = readArguments(argv);
  } catch (error) {
    io.stderr.write(`minicloud: ${errorText(error)}\n`);
    return 2;
  }
  try {
    await using cloud = await startMinicloud({ ...options, log: io.log ?? silentLogger });
    const ready: ReadyLine = {
      url: cloud.url, hubAddress: cloud.hubAddress, httpsAddress: cloud.httpsAddress, tunnelAddress: cloud.tunnelAddress, routerUrl: cloud.routerUrl, kubeconfig: cloud.kubeconfigPath, token: cloud.token(), pid: process.pid,
    };
    io.stdout.write(`${JSON.stringify(ready)}\n`);
    await untilTold(io);
    return 0;
  } catch (error) {
    io.stderr.write(`minicloud: ${errorText(error)}\n`);
    return 1;
  }
}

/**
 * Reads the program's arguments.
 * @throws EdgeError `minicloud.bad-option`
 */
export function readArguments(argv: readonly string[]): MinicloudOptions {
  const text = { type: 'string' } as const;
  let values: Record<string, string | string[] | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        data: text, host: text, 'hub-port': text, 'https-port': text, 'tunnel-port': text, 'router-port': text, 'api-port': text, name: { type: 'string', multiple: true },
        'token-ttl-hours': text, 'certificate-ttl-hours': text,
      },
    }));
  } catch (cause) {
    throw minicloudError(MinicloudErrors.badOption, errorText(cause), cause);
  }
  const one = (name: string): string | undefined => values[name] as string | undefined;
  const dataDir = one('data');
  if (!dataDir) throw minicloudError(MinicloudErrors.badOption, '--data <folder> is missing');
  const numbers = {
    hubPort: number('hub-port', one('hub-port'), 65_535), httpsPort: number('https-port', one('https-port'), 65_535), tunnelPort: number('tunnel-port', one('tunnel-port'), 65_535),
    routerPort: number('router-port', one('router-port'), 65_535), apiPort: number('api-port', one('api-port'), 65_535),
    tokenTtl: hours('token-ttl-hours', one('token-ttl-hours')), certificateTtl: hours('certificate-ttl-hours', one('certificate-ttl-hours')),
  };
  const host = one('host');
  return {
    dataDir, names: (values['name'] as string[] | undefined) ?? [], ...(host === undefined ? {} : { host }),
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)),
  };
}

function number(name: string, text: string | undefined, limit: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= limit) return value;
  throw minicloudError(MinicloudErrors.badOption, `--${name} is "${text}", it must be a whole number from 0 to ${limit}`);
}

function hours(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (value > 0 && value < 1_000_000) return value * HOUR_MS;
  throw minicloudError(MinicloudErrors.badOption, `--${name} is "${text}", it must be a number of hours above 0`);
}

function untilTold({ signal, stdin }: ProgramIo): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      // An input that is still read would keep the process alive.
      stdin?.pause();
      resolve();
    };
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    stdin?.once('end', end).once('error', end).resume();
  });
}
