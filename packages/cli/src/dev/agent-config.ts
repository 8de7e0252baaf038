import { join } from 'node:path';
import { stringify } from 'yaml';

export interface AgentConfigParts {
  readonly data: string;
  readonly node: string;
  readonly runtime: 'cri' | 'process';
  /** Socket of the container runtime; looked for unless given. */
  readonly endpoint?: string;
  /** Control group below which those of the pods are made; at the top unless given. */
  readonly cgroupRoot?: string;
  readonly hubAddress: string;
  readonly httpsUrl: string;
  readonly kubeletPort: number;
  /** Port of the MQTT broker on the loopback; without one there is no MQTT. */
  readonly mqttPort?: number | undefined;
  /** The cloud's end of the tunnel for logs and commands; without one there are none. */
  readonly tunnelAddress?: string | undefined;
  /** Port of the node's own Kubernetes API on the loopback; without one there is none. */
  readonly nodeApiPort?: number | undefined;
  /** Port of the HTTP server for programs on the node, on the loopback; without one rules reach no services. */
  readonly serviceBusPort?: number | undefined;
  readonly token: string;
}

/** `modules.eventBus.mqttMode`: the agent is the broker. */
export const EMBEDDED_BROKER = 0;

/** Where the embedded broker listens. */
export function mqttUrl(port: number): string {
  return `tcp://127.0.0.1:${port}`;
}

/** Where the node's own API listens, as `metaServer.server` has it. */
export function nodeApiAddress(port: number): string {
  return `127.0.0.1:${port}`;
}

/** The agent's configuration in the data folder: upstream's layout, every path inside of the folder. */
export function agentConfig(parts: AgentConfigParts): string {
  const agent = join(parts.data, 'agent');
  return stringify({
    apiVersion: 'edgecore.config.kubeedge.io/v1alpha2',
    kind: 'EdgeCore',
    database: { dataSource: join(agent, 'edgecore.db') },
    modules: {
      edgeHub: {
        httpServer: parts.httpsUrl,
        token: parts.token,
        websocket: { server: parts.hubAddress },
        tlsCaFile: join(agent, 'ca', 'rootCA.crt'),
        tlsCertFile: join(agent, 'certs', 'server.crt'),
        tlsPrivateKeyFile: join(agent, 'certs', 'server.key'),
      },
      edged: {
        hostnameOverride: parts.node,
        // Why a pod does not run is what a first look needs to see in kubectl describe.
        reportEvent: true,
        rootDirectory: join(agent, 'kubelet'),
        tailoredKubeletConfig: {
          readOnlyPort: parts.kubeletPort,
          podLogsDir: join(agent, 'pod-logs'),
          staticPodPath: join(agent, 'manifests'),
          // The usual shares of the disk would keep pods from a well-filled laptop.
          evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '500Mi' },
          ...(parts.endpoint ? { containerRuntimeEndpoint: parts.endpoint } : {}),
          ...(parts.cgroupRoot ? { cgroupRoot: parts.cgroupRoot } : {}),
        },
      },
      eventBus: parts.mqttPort === undefined ? { enable: false } : { mqttMode: EMBEDDED_BROKER, mqttServerInternal: mqttUrl(parts.mqttPort) },
      deviceTwin: { dmiSockPath: agent },
      taskManager: { enable: true },
      ...(parts.tunnelAddress === undefined ? {} : { edgeStream: { enable: true, server: parts.tunnelAddress } }),
      ...(parts.nodeApiPort === undefined ? {} : { metaManager: { metaServer: { enable: true, server: nodeApiAddress(parts.nodeApiPort) } } }),
      ...(parts.serviceBusPort === undefined ? {} : { serviceBus: { enable: true, port: parts.serviceBusPort } }),
    },
    edge: { runtime: parts.runtime },
  });
}
