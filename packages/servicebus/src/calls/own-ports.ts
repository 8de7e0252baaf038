import { isFields } from '@edge/protocol';
import type { OwnPort } from './allow-list.js';

type Tree = Readonly<Record<string, unknown>>;

/** Ports that the agent itself listens on, by its configuration. What is switched off has none. */
export function ownPorts(root: Tree): readonly OwnPort[] {
  const modules = at(root, 'modules');
  const kubelet = at(modules, 'edged', 'tailoredKubeletConfig');
  const metaServer = at(modules, 'metaManager', 'metaServer');
  const eventBus = at(modules, 'eventBus');
  const serviceBus = at(modules, 'serviceBus');
  const testManager = at(root, 'edge', 'testManager');
  return [
    own(at(modules, 'edged')['enable'] !== false, kubelet['readOnlyPort'] ?? 10_350, "the agent's kubelet API"),
    own(metaServer['enable'] === true, portOf(metaServer['server'] ?? ':10550'), "the agent's Kubernetes API"),
    own(metaServer['enable'] === true, portOf(metaServer['dummyServer'] ?? ':10550'), "the agent's Kubernetes API"),
    own(eventBus['enable'] !== false && (eventBus['mqttMode'] ?? 2) !== 2, portOf(eventBus['mqttServerInternal'] ?? ':1884'), "the agent's MQTT broker"),
    own(true, serviceBus['port'] ?? 9060, 'the servicebus itself'),
    own(at(modules, 'dbTest')['enable'] === true, testManager['port'] ?? 12_345, "the agent's test module"),
  ].filter((port) => port !== undefined);
}

function own(on: boolean, port: unknown, what: string): OwnPort | undefined {
  return on && typeof port === 'number' && port > 0 ? { port, what } : undefined;
}

function portOf(address: unknown): number | undefined {
  const digits = typeof address === 'string' ? /:(\d{1,5})\/?$/.exec(address)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

function at(tree: Tree, ...path: readonly string[]): Tree {
  return path.reduce<Tree>((from, key) => {
    const value = from[key];
    return isFields(value) ? value : {};
  }, tree);
}
