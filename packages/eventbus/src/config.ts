import { EdgeError, token, type Token } from '@edge/core';
import { shownUrl } from './shown-url.js';

/** Three files, PEM. */
export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** The broker elsewhere. */
export interface ExternalConfig {
  /** `tcp`, `mqtt`, `ssl`, `tls`, `mqtts`, `ws` or `wss`. */
  readonly url: string;
  /** Empty: made from the node's name. */
  readonly subClientId: string;
  readonly pubClientId: string;
  readonly username: string;
  /** Only used with a user name. Never logged. */
  readonly password: string;
  /** Certificates to check the broker with and to show to it. Without them a broker behind TLS is not checked, as upstream does it. */
  readonly tls?: TlsFiles;
  /** Seconds of silence after which the broker is asked for a sign of life. Default 30. */
  readonly keepAlive: number;
  /** Messages that wait while it is away; then the oldest go. Default 10000. */
  readonly maxWaiting: number;
}

/** The broker in here. */
export interface EmbeddedConfig {
  /** Where it listens: `tcp`, `mqtt`, `ssl`, `tls`, `mqtts`, `ws` or `wss`. */
  readonly url: string;
  /** Of messages that the agent publishes. */
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Messages of QoS 1 and 2 that wait for one session. Default 100. */
  readonly sessionQueueSize: number;
  /** Names and hashed passwords; empty: everybody may connect. */
  readonly passwordFile: string;
  /** Who may publish and subscribe to what; empty: all may do all. */
  readonly rulesFile: string;
  readonly tls: TlsFiles;
  /** Only clients with a certificate of `tls.caFile` may connect. */
  readonly requireClientCertificate: boolean;
  /** Connections at a time. Default 1000. */
  readonly maxClients: number;
  /** Bytes of one packet. Default 10 MiB. */
  readonly maxPacketBytes: number;
}

/** The slice `modules.eventBus`, with `edge.eventBus`. */
export interface EventBusConfig {
  /** Default true. */
  readonly enable: boolean;
  /** Undefined: `mqttMode` is 2. */
  readonly embedded: EmbeddedConfig | undefined;
  /** Undefined: `mqttMode` is 0. */
  readonly external: ExternalConfig | undefined;
}

export const EventBusConfig: Token<EventBusConfig> = token<EventBusConfig>('eventbus', 'EventBusConfig');

/** Where the slice lies in `edgecore.yaml`. */
export const CONFIG_PATH = 'modules.eventBus';
const OWN_PATH = 'edge.eventBus';

/** Schemes of both brokers' addresses. */
export const SCHEMES = ['tcp', 'mqtt', 'ssl', 'tls', 'mqtts', 'ws', 'wss'] as const;

type Tree = Readonly<Record<string, unknown>>;

/**
 * Reads the slice; what is missing gets its default.
 * @throws EdgeError `config.invalid` naming the member, its value and what would be right
 */
export function parseEventBusConfig(raw: unknown, root: Tree): EventBusConfig {
  const slice = section(CONFIG_PATH, raw);
  const own = section(OWN_PATH, section('edge', root['edge'])['eventBus']);
  const mode = whole(slice, CONFIG_PATH, 'mqttMode', 2, 0, 2);
  return {
    enable: flag(slice, CONFIG_PATH, 'enable', true),
    embedded: mode === 2 ? undefined : embedded(slice, own),
    external: mode === 0 ? undefined : external(slice, own),
  };
}

function embedded(slice: Tree, own: Tree): EmbeddedConfig {
  const tls = section(`${OWN_PATH}.tls`, own['tls']);
  const files = tlsFiles(section(`${CONFIG_PATH}.eventBusTLS`, slice['eventBusTLS']));
  return {
    url: address(slice, 'mqttServerInternal', 'tcp://127.0.0.1:1884'),
    qos: whole(slice, CONFIG_PATH, 'mqttQOS', 0, 0, 2) as 0 | 1 | 2,
    retain: flag(slice, CONFIG_PATH, 'mqttRetain', false),
    sessionQueueSize: whole(slice, CONFIG_PATH, 'mqttSessionQueueSize', 100, 0, 10_000_000) || 100,
    passwordFile: text(own, OWN_PATH, 'passwordFile', ''),
    rulesFile: text(own, OWN_PATH, 'rulesFile', ''),
    tls: {
      caFile: text(tls, `${OWN_PATH}.tls`, 'caFile', files.caFile),
      certFile: text(tls, `${OWN_PATH}.tls`, 'certFile', files.certFile),
      keyFile: text(tls, `${OWN_PATH}.tls`, 'keyFile', files.keyFile),
    },
    requireClientCertificate: flag(tls, `${OWN_PATH}.tls`, 'requireClientCertificate', false),
    maxClients: whole(own, OWN_PATH, 'maxClients', 1000, 1, 1_000_000),
    maxPacketBytes: whole(own, OWN_PATH, 'maxPacketBytes', 10 * 1024 * 1024, 1024, 268_435_455),
  };
}

function external(slice: Tree, own: Tree): ExternalConfig {
  const tls = section(`${CONFIG_PATH}.eventBusTLS`, slice['eventBusTLS']);
  return {
    url: address(slice, 'mqttServerExternal', 'tcp://127.0.0.1:1883'),
    subClientId: text(slice, CONFIG_PATH, 'mqttSubClientID', ''),
    pubClientId: text(slice, CONFIG_PATH, 'mqttPubClientID', ''),
    username: text(slice, CONFIG_PATH, 'mqttUsername', ''),
    password: text(slice, CONFIG_PATH, 'mqttPassword', ''),
    ...(flag(tls, `${CONFIG_PATH}.eventBusTLS`, 'enable', false) ? { tls: tlsFiles(tls) } : {}),
    keepAlive: whole(own, OWN_PATH, 'keepAliveSeconds', 30, 1, 65_535),
    maxWaiting: whole(own, OWN_PATH, 'maxWaitingMessages', 10_000, 1, 10_000_000),
  };
}

function tlsFiles(tls: Tree): TlsFiles {
  const path = `${CONFIG_PATH}.eventBusTLS`;
  return {
    caFile: text(tls, path, 'tlsMqttCAFile', '/etc/kubeedge/ca/rootCA.crt'),
    certFile: text(tls, path, 'tlsMqttCertFile', '/etc/kubeedge/certs/server.crt'),
    keyFile: text(tls, path, 'tlsMqttPrivateKeyFile', '/etc/kubeedge/certs/server.key'),
  };
}

function address(tree: Tree, name: string, initial: string): string {
  const value = text(tree, CONFIG_PATH, name, initial);
  const right = `a URL such as ${initial}, with one of ${SCHEMES.map((scheme) => `${scheme}://`).join(' ')}`;
  // Go takes an address without a host: all interfaces, or this machine.
  const whole = value.replace(/^(\w+:\/\/):/, '$1localhost:');
  if (!URL.canParse(whole)) throw invalid(`${CONFIG_PATH}.${name}`, shownUrl(value), right);
  const { protocol, hostname } = new URL(whole);
  if (!(SCHEMES as readonly string[]).includes(protocol.slice(0, -1)) || hostname === '') throw invalid(`${CONFIG_PATH}.${name}`, shownUrl(value), right);
  return value;
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

function whole(tree: Tree, path: string, name: string, initial: number, min: number, max: number): number {
  const value = tree[name] ?? initial;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalid(`${path}.${name}`, value, `a whole number from ${min} to ${max}`);
  }
  return value;
}

function text(tree: Tree, path: string, name: string, initial: string): string {
  const value = tree[name] ?? '';
  if (typeof value !== 'string') throw invalid(`${path}.${name}`, name === 'mqttPassword' ? '(hidden)' : value, 'a string');
  return value === '' ? initial : value;
}

function invalid(path: string, value: unknown, right: string): EdgeError {
  return new EdgeError('config.invalid', `${path} is ${JSON.stringify(value)}, it must be ${right}`);
}
