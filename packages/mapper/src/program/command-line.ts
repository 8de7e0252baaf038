import { parseArgs } from 'node:util';
import { errorText, MapperError, MapperErrors } from '../errors.js';
import { stderrLog } from '../log.js';
import type { MapperOptions } from '../options.js';
import { httpOf, readConfigFile } from './config-file.js';

const HELP = `Options:
  --config-file <file>      settings in mapper-framework's layout (grpc_server, common)
  --edgecore-sock <path>    EdgeCore's socket (default: EDGECORE_SOCK, or /etc/kubeedge/dmi.sock)
  --socket <path>           the mapper's own socket (default: <name>.sock beside EdgeCore's)
  --http-port <port>        port of the HTTP server on 127.0.0.1, 0 for none (default: 7777)
  --help                    this text
`;

/** What a program was called with: options, or a text to print instead of working. */
export type CommandLine = { readonly options: MapperOptions } | { readonly print: string };

/**
 * Options of the code, overridden by those of the configuration file, the environment and the flags, in this order.
 * @throws MapperError `mapper.bad-options`
 */
export function commandLine(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, byCode: MapperOptions): CommandLine {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { 'config-file': { type: 'string' }, 'edgecore-sock': { type: 'string' }, socket: { type: 'string' }, 'http-port': { type: 'string' }, help: { type: 'boolean' } },
    }));
  } catch (error) {
    throw new MapperError(MapperErrors.badOptions, `${errorText(error)}\n${HELP}`);
  }
  if (values.help) return { print: HELP };
  const file = values['config-file'] === undefined ? {} : readConfigFile(values['config-file']);
  const edgeCoreSocket = values['edgecore-sock'] ?? env['EDGECORE_SOCK'];
  const port = values['http-port'];
  const http = port === undefined ? file.http : httpOf(port);
  return {
    options: {
      ...byCode,
      ...file,
      ...(edgeCoreSocket === undefined ? {} : { edgeCoreSocket }),
      ...(values.socket === undefined ? {} : { socketPath: values.socket }),
      // The port alone: what else the code says of the server stays.
      ...(http === undefined ? {} : { http: http && { ...byCode.http, ...http } }),
      log: byCode.log ?? stderrLog,
    },
  };
}
