import { createServer } from 'node:net';
import { EdgeError } from '@edge/core';

/** Ports of the embedded cloud and the agent. */
export interface DevPorts {
  /** CloudHub's WebSocket. */
  readonly hub: number;
  /** CloudHub's HTTPS: certificates. */
  readonly https: number;
  /** The Kubernetes API. */
  readonly api: number;
  /** The agent's kubelet API. */
  readonly kubelet: number;
  /** The agent's MQTT broker. */
  readonly mqtt: number;
  /** CloudStream's tunnels: logs and commands. */
  readonly tunnel: number;
  /** The node's own Kubernetes API. */
  readonly nodeApi: number;
  /** The REST side of rules. */
  readonly router: number;
  /** The agent's HTTP server for programs on the node. */
  readonly serviceBus: number;
}

const USUAL_BASE = 26_440;

/**
 * The ports to use: nine in a row from `base`; without one the usual ones, or free ones when they are taken.
 * @throws EdgeError `cli.port` when a port of the given row is taken
 */
export async function choosePorts(base: number | undefined): Promise<DevPorts> {
  const row = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((offset) => (base ?? USUAL_BASE) + offset);
  const taken = (await Promise.all(row.map(async (port) => ((await isFree(port)) ? undefined : port)))).filter((port) => port !== undefined);
  if (taken.length > 0 && base !== undefined) {
    throw new EdgeError('cli.port', `port ${taken.join(', ')} on 127.0.0.1 is taken; give another --port-base, or none to have free ones found`);
  }
  const [hub = 0, https = 0, api = 0, kubelet = 0, mqtt = 0, tunnel = 0, nodeApi = 0, router = 0, serviceBus = 0] = taken.length === 0 ? row : await freePorts(row.length);
  return { hub, https, api, kubelet, mqtt, tunnel, nodeApi, router, serviceBus };
}

/** Free ports, all held until the last is known so that none comes twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => (server?.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server?.close(resolve))));
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  return server !== undefined;
}

function listen(port: number): Promise<import('node:net').Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
