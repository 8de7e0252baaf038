import { dirname, join, resolve } from 'node:path';
import { MapperError, MapperErrors } from './errors.js';
import { stderrLog, type Log } from './log.js';

/** Where upstream's EdgeCore listens for mappers. */
export const EDGECORE_SOCKET = '/etc/kubeedge/dmi.sock';
/** Port of the HTTP server, as mapper-framework has it. */
export const HTTP_PORT = 7777;

/** Longest path of a unix socket on Linux, in bytes. */
const LONGEST_SOCKET_PATH = 107;

export interface HttpOptions {
  /** Default 127.0.0.1: whoever reaches it can read and write devices. */
  readonly host?: string;
  /** Default 7777; 0 takes a free one. */
  readonly port?: number;
  /** mapper-framework's way to write by GET. A link in a web page can do that, so it is off by default. */
  readonly writeByGet?: boolean;
}

/** Times in milliseconds. */
export interface Timing {
  /** How often a property is read whose manifest has no collectCycle: 1000. */
  readonly collectMs: number;
  /** How often a state is reported whose manifest has no stateReport.reportCycle: 10 000. */
  readonly stateMs: number;
  /** Limit of a driver's `read`, `write` and `state`: 5000. */
  readonly callMs: number;
  /** Limit of a driver's `init` and `stop`: 10 000. */
  readonly initMs: number;
  /** First and longest pause between two tries for a device, a push target or EdgeCore: 500 and 5000. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
  /** How often the mapper registers again though nothing was lost, which repairs whatever EdgeCore could not tell it: 60 000. */
  readonly registerMs: number;
}

export interface MapperOptions {
  /** Name of the mapper; unique on the node. */
  readonly name: string;
  /** The `protocolName` of its devices. One mapper per protocol and node. */
  readonly protocol: string;
  readonly version?: string;
  readonly apiVersion?: string;
  /** EdgeCore's socket; default /etc/kubeedge/dmi.sock. */
  readonly edgeCoreSocket?: string;
  /** The mapper's own socket, which EdgeCore dials; default `<name>.sock` beside EdgeCore's. */
  readonly socketPath?: string;
  /** `cycle` (default): each reportCycle. `change`: when a value differs from the one reported last, looked at each reportCycle. */
  readonly report?: 'cycle' | 'change';
  /** The HTTP server; false for none. */
  readonly http?: HttpOptions | false;
  readonly timing?: Partial<Timing>;
  readonly log?: Log;
  /** Where push methods find their passwords (TOKEN, USERNAME, PASSWORD); default the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Options with every default filled in. */
export interface Settled {
  readonly name: string;
  readonly protocol: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly edgeCoreSocket: string;
  readonly socketPath: string;
  readonly report: 'cycle' | 'change';
  readonly http: (Required<HttpOptions> & { readonly given: boolean }) | undefined;
  readonly timing: Timing;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const TIMING: Timing = { collectMs: 1000, stateMs: 10_000, callMs: 5000, initMs: 10_000, pauseMs: 500, longestPauseMs: 5000, registerMs: 60_000 };

/** @throws MapperError `mapper.bad-options` naming every option that is missing or wrong */
export function settle(options: MapperOptions): Settled {
  const edgeCoreSocket = resolve(options.edgeCoreSocket ?? EDGECORE_SOCKET);
  const socketPath = resolve(options.socketPath ?? join(dirname(edgeCoreSocket), `${options.name}.sock`));
  const http = options.http ?? {};
  const settled: Settled = {
    name: options.name,
    protocol: options.protocol,
    version: options.version ?? 'v1.0.0',
    apiVersion: options.apiVersion ?? 'v1.0.0',
    edgeCoreSocket,
    socketPath,
    report: options.report ?? 'cycle',
    http: http === false ? undefined : { host: http.host ?? '127.0.0.1', port: http.port ?? HTTP_PORT, writeByGet: http.writeByGet ?? false, given: http.port !== undefined },
    timing: { ...TIMING, ...options.timing },
    log: options.log ?? stderrLog,
    env: options.env ?? process.env,
  };
  const problems = problemsOf(settled);
  if (problems.length > 0) throw new MapperError(MapperErrors.badOptions, `the mapper's options cannot be used: ${problems.join('; ')}`);
  return settled;
}

function problemsOf({ name, protocol, socketPath, edgeCoreSocket, report, http, timing }: Settled): string[] {
  const problems: string[] = [];
  if (!/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name ?? '')) problems.push(`name is "${name ?? ''}", expected letters, digits, "-", "_" and "."`);
  if (!protocol) problems.push('protocol is missing, expected the protocolName of the devices');
  for (const [key, path] of Object.entries({ socketPath, edgeCoreSocket })) {
    if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) problems.push(`${key} "${path}" is longer than the ${LONGEST_SOCKET_PATH} bytes of a unix socket's path`);
  }
  if (socketPath === edgeCoreSocket) problems.push(`socketPath and edgeCoreSocket are both "${socketPath}"`);
  if (report !== 'cycle' && report !== 'change') problems.push(`report is "${String(report)}", expected cycle or change`);
  if (http && !(Number.isInteger(http.port) && http.port >= 0 && http.port < 65_536)) problems.push(`the HTTP port is ${http.port}, expected 0 to 65535`);
  for (const [key, value] of Object.entries(timing)) {
    if (!(typeof value === 'number' && value > 0)) problems.push(`timing.${key} is ${String(value)}, expected milliseconds above 0`);
  }
  return problems;
}
