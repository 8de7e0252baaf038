import { EdgeError, token, type Token } from '@edge/core';
import { DEFAULT_PROJECT_ID } from '@edge/protocol';

/** The slice `modules.edgeHub`, with `edge.outbox`. Seconds unless said otherwise. */
export interface EdgeHubConfig {
  /** Default true. */
  readonly enable: boolean;
  /** Period of the keepalive message. Default 15. */
  readonly heartbeat: number;
  /** Messages a second towards the cloud; 0 means no limit. Default 30. */
  readonly messageQPS: number;
  /** Messages that may go at once after a quiet time. Default 60. */
  readonly messageBurst: number;
  /** First segment of the link's path. */
  readonly projectID: string;
  readonly tlsCaFile: string;
  readonly tlsCertFile: string;
  readonly tlsPrivateKeyFile: string;
  /** Join token `<CA hash>.<JWT>`, empty when the node has its certificates. Never logged. */
  readonly token: string;
  /** CloudHub's certificate endpoint, `https://host:10002`. */
  readonly httpServer: string;
  /** Default true. */
  readonly rotateCertificates: boolean;
  readonly websocket: {
    /** CloudHub's link, `host:10000`. */
    readonly server: string;
    /** Longest time from the first packet to the open link. Default 30. */
    readonly handshakeTimeout: number;
    /** Longest time for one write. Default 15. */
    readonly writeDeadline: number;
  };
  readonly outbox: OutboxLimits;
}

/** How large and how old the backlog may grow: `edge.outbox`. */
export interface OutboxLimits {
  /** Bytes of message text. Default 64 MiB. */
  readonly maxBytes: number;
  /** Default 7 days. */
  readonly maxAgeSeconds: number;
}

export const EdgeHubConfig: Token<EdgeHubConfig> = token<EdgeHubConfig>('edgehub', 'EdgeHubConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.edgeHub';

type Tree = Readonly<Record<string, unknown>>;

/**
 * Reads the slice; what is missing gets its default.
 * @throws EdgeError `config.invalid` naming the member, its value and what would be right
 */
export function parseEdgeHubConfig(raw: unknown, root: Tree): EdgeHubConfig {
  const slice = section('modules.edgeHub', raw);
  const websocket = section('modules.edgeHub.websocket', slice['websocket']);
  const quic = section('modules.edgeHub.quic', slice['quic']);
  const outbox = section('edge.outbox', section('edge', root['edge'])['outbox']);
  const enable = flag(slice, CONFIG_PATH, 'enable', true);
  if (enable && quic['enable'] === true) {
    throw invalid('modules.edgeHub.quic.enable', true, 'false: this agent speaks WebSocket only, set websocket.enable to true instead');
  }
  return {
    enable,
    heartbeat: seconds(slice, CONFIG_PATH, 'heartbeat', 15),
    messageQPS: count(slice, CONFIG_PATH, 'messageQPS', 30),
    messageBurst: count(slice, CONFIG_PATH, 'messageBurst', 60),
    projectID: text(slice, CONFIG_PATH, 'projectID', DEFAULT_PROJECT_ID),
    tlsCaFile: text(slice, CONFIG_PATH, 'tlsCaFile', '/etc/kubeedge/ca/rootCA.crt'),
    tlsCertFile: text(slice, CONFIG_PATH, 'tlsCertFile', '/etc/kubeedge/certs/server.crt'),
    tlsPrivateKeyFile: text(slice, CONFIG_PATH, 'tlsPrivateKeyFile', '/etc/kubeedge/certs/server.key'),
    token: text(slice, CONFIG_PATH, 'token', ''),
    httpServer: text(slice, CONFIG_PATH, 'httpServer', 'https://127.0.0.1:10002'),
    rotateCertificates: flag(slice, CONFIG_PATH, 'rotateCertificates', true),
    websocket: {
      server: text(websocket, 'modules.edgeHub.websocket', 'server', '127.0.0.1:10000'),
      handshakeTimeout: seconds(websocket, 'modules.edgeHub.websocket', 'handshakeTimeout', 30),
      writeDeadline: seconds(websocket, 'modules.edgeHub.websocket', 'writeDeadline', 15),
    },
    outbox: {
      maxBytes: count(outbox, 'edge.outbox', 'maxBytes', 64 * 1024 * 1024),
      maxAgeSeconds: seconds(outbox, 'edge.outbox', 'maxAgeSeconds', 7 * 86_400),
    },
  };
}

function section(path: string, value: unknown): Tree {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(path, value, 'a section with keys');
  return value as Tree;
}

function flag(tree: Tree, path: string, name: string, initial: boolean): boolean {
  const value = tree[name] ?? initial;
  if (typeof value !== 'boolean') throw invalid(`${path}.${name}`, value, 'true or false');
  return value;
}

function count(tree: Tree, path: string, name: string, initial: number): number {
  const value = tree[name] ?? initial;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw invalid(`${path}.${name}`, value, 'a number, 0 or more');
  return value;
}

function seconds(tree: Tree, path: string, name: string, initial: number): number {
  const value = count(tree, path, name, initial);
  // Go reads a zero here as "not set".
  return value === 0 ? initial : value;
}

function text(tree: Tree, path: string, name: string, initial: string): string {
  const value = tree[name] ?? '';
  // A wrong token may be shown nowhere, whatever its type.
  if (typeof value !== 'string') throw invalid(`${path}.${name}`, name === 'token' ? '(hidden)' : value, 'a string');
  return value === '' ? initial : value;
}

function invalid(path: string, value: unknown, right: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${right}`);
}
