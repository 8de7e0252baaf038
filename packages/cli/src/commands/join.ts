import { mkdir, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, relative } from 'node:path';
import { isNodeName, loadConfig } from '@edge/config';
import { EdgeError, errorCode } from '@edge/core';
import { stringify } from 'yaml';
import { usage } from '../flags/help.js';
import { parseOnlyFlags } from '../flags/parse.js';
import { DEFAULT_CONFIG_PATH, readBoolean, type FlagSpec } from '../flags/spec.js';
import type { Terminal } from '../program.js';

const FLAGS: readonly FlagSpec[] = [
  { name: 'certport', shorthand: 's', value: 'port', default: '10002', help: "CloudHub's HTTPS port, where the certificate comes from." },
  { name: 'cloudcore-ipport', shorthand: 'e', value: 'host:port', help: "Address of CloudHub's WebSocket, as 203.0.113.7:10000 or [2001:db8::7]:10000. Required." },
  { name: 'config', value: 'string', default: DEFAULT_CONFIG_PATH, help: 'Where to write the configuration.' },
  { name: 'edgenode-name', shorthand: 'i', value: 'string', help: 'The same as --node-name.' },
  { name: 'force', bare: 'true', help: 'Overwrite a configuration that is there.' },
  { name: 'help', shorthand: 'h', bare: 'true', help: 'Print this help, then exit.' },
  { name: 'labels', shorthand: 'l', value: 'k=v,...', help: 'Labels of the node.' },
  { name: 'node-name', value: 'string', help: 'Name of the node in the cluster. The host name unless given.' },
  { name: 'runtime', value: 'string', help: 'Container runtime: cri or process.' },
  { name: 'token', shorthand: 't', value: 'string', help: 'Token from the cloud (keadm gettoken).' },
];

const HELP = `Writes a configuration with which this node joins a real CloudCore. Starts nothing.

${usage('edgecore join --cloudcore-ipport host:port --token token [flags]', [{ title: 'Flags', flags: FLAGS }])}`;

/** `edgecore join`. */
export async function join(args: readonly string[], terminal: Terminal): Promise<number> {
  let values: Readonly<Record<string, string>>;
  try {
    values = parseOnlyFlags(FLAGS, args);
    if (readBoolean(values['help'] ?? 'false')) {
      terminal.out(HELP);
      return 0;
    }
    const path = values['config'] ?? DEFAULT_CONFIG_PATH;
    const text = joinConfig(values, hostname());
    await writeNew(path, text, readBoolean(values['force'] ?? 'false') ?? false);
    const config = path === DEFAULT_CONFIG_PATH ? '' : ` --config ${path}`;
    terminal.out(`Wrote ${path}.\nStart the agent with: ${ownName(terminal.env)} --config ${path}\nOr have it run as a service, as root: ${ownName(terminal.env)} install${config}\n`);
    return 0;
  } catch (error) {
    if (errorCode(error) !== 'cli.flag' && errorCode(error) !== 'cli.join') throw error;
    terminal.err(`Error: ${(error as Error).message}\n`);
    return 1;
  }
}

/**
 * The text of the configuration. Only what differs from the defaults is in it, so that it stays readable.
 * @throws EdgeError `cli.join` naming the flag that is wrong and what would be right
 */
export function joinConfig(values: Readonly<Record<string, string | undefined>>, host: string): string {
  const address = readAddress(values['cloudcore-ipport']);
  const certPort = readPort('--certport', values['certport'] ?? '10002');
  const nodeName = (values['node-name'] ?? values['edgenode-name'] ?? host.toLowerCase()).trim();
  if (!isNodeName(nodeName)) {
    throw new EdgeError('cli.join', `--node-name is "${nodeName}", it must be lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit`);
  }
  const token = values['token']?.trim() ?? '';
  if (token === '') throw new EdgeError('cli.join', '--token is missing: get one from the cloud with "keadm gettoken"');
  if (token.split('.').length !== 4) {
    throw new EdgeError('cli.join', `--token has ${token.split('.').length} parts, it must have 4 separated by dots: copy the whole line that "keadm gettoken" prints`);
  }
  const runtime = values['runtime'];
  if (runtime !== undefined && runtime !== 'cri' && runtime !== 'process') {
    throw new EdgeError('cli.join', `--runtime is "${runtime}", it must be cri or process`);
  }
  const labels = readLabels(values['labels']);
  const text = stringify({
    apiVersion: 'edgecore.config.kubeedge.io/v1alpha2',
    kind: 'EdgeCore',
    modules: {
      edgeHub: {
        httpServer: `https://${address.host}:${certPort}`,
        token,
        websocket: { server: `${address.host}:${address.port}` },
      },
      edged: { hostnameOverride: nodeName, ...(labels ? { nodeLabels: labels } : {}) },
    },
    ...(runtime ? { edge: { runtime } } : {}),
  });
  // What is written must be what the agent reads without complaint.
  loadConfig(text, { hostname: host, localIP: '127.0.0.1' });
  return text;
}

/** This program as the user can start it again; what started it may know better. */
function ownName({ EDGECORE_COMMAND: command }: Terminal['env']): string {
  if (command) return command;
  const path = process.argv[1] ?? 'edgecore';
  return basename(path) === 'edgecore' ? 'edgecore' : `node ${relative(process.cwd(), path)}`;
}

/** `host:port`, the host in brackets when it is an IPv6 address. */
function readAddress(text: string | undefined): { host: string; port: string } {
  if (!text) throw new EdgeError('cli.join', '--cloudcore-ipport is missing: give the address of CloudHub as host:port, its usual port is 10000');
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+):(\d+)$/.exec(text.trim());
  if (!match?.[1] || !match[2]) {
    throw new EdgeError('cli.join', `--cloudcore-ipport is "${text}", it must be host:port as 203.0.113.7:10000, an IPv6 address in brackets`);
  }
  return { host: match[1], port: readPort('--cloudcore-ipport', match[2]) };
}

function readPort(flag: string, text: string): string {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new EdgeError('cli.join', `${flag} has port "${text}", it must be 1 to 65535`);
  return String(port);
}

function readLabels(text: string | undefined): Record<string, string> | undefined {
  if (!text) return undefined;
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [key, value, ...rest] = pair.split('=');
      if (!key || value === undefined || rest.length > 0) throw new EdgeError('cli.join', `--labels has "${pair}", it must be key=value[,key=value...]`);
      return [key, value];
    }),
  );
}

async function writeNew(path: string, text: string, force: boolean): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // Holds a token: for its owner alone.
    await using file = await open(path, force ? 'w' : 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (cause) {
    const code = errorCode(cause);
    const reason =
      code === 'EEXIST'
        ? 'it exists already; give --force to overwrite it, or --config for another place'
        : code === 'EACCES' || code === 'EPERM'
          ? 'permission denied; run as root, or give --config for another place'
          : (cause as Error).message;
    throw new EdgeError('cli.join', `cannot write ${path}: ${reason}`, { cause });
  }
}
