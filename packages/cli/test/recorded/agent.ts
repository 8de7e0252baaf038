import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Core, ModuleDefinition, Store } from '@edge/core';
import { createEdged } from '@edge/edged';
import { deadLetters, openStore } from '@edge/store';
import { createTaskManager } from '@edge/taskmanager';
import { collectingLogger, ownLoopback, testGates, testIdentity, type LogLine, type MemoryRuntime, type TestCa } from '@edge/testing';
import { noInstallation } from '../../src/agent/on-demand-installation.js';
import { compose, MODULES } from '../../src/compose.js';
import { EMBEDDED_BROKER, mqttUrl, nodeApiAddress } from '../../src/dev/agent-config.js';

export interface AgentOptions {
  /** Holds certificates, database and volumes; what an agent finds there it goes on with. */
  readonly folder: string;
  readonly node: string;
  /** `127.0.0.1:<port>` of the cloud's link. */
  readonly cloud: string;
  readonly runtime: MemoryRuntime;
  /** Port of its MQTT broker; without one it has none. */
  readonly mqttPort?: number;
  /** Port of its Kubernetes API; without one it has none. */
  readonly nodeApiPort?: number;
  /** Port of its server for programs on the node; without one rules call no services of it. */
  readonly serviceBusPort?: number;
  /** Whether it does node jobs. */
  readonly nodeJobs?: boolean;
}

/** The modules of the agent in this process, over a database file and a runtime in memory. */
export interface Agent extends AsyncDisposable {
  readonly core: Core;
  readonly log: readonly LogLine[];
  readonly store: Store;
  /** Stops it as SIGTERM does. */
  stop(): Promise<void>;
}

/** A machine with nothing to do, whatever else this one does. */
const CALM: Parameters<typeof createTaskManager>[0] = { cpu: () => Promise.resolve(1), memory: () => Promise.resolve(1), rootDisk: () => Promise.resolve(1), disks: () => Promise.resolve([]) };
const AGENT_VERSION = 'v1.23.1';

/** Writes the node's certificates as a join leaves them. */
export async function enrol(ca: TestCa, folder: string, node: string): Promise<void> {
  const { certificate, privateKey } = await ca.node(node);
  const files = certificateFiles(folder);
  await mkdir(join(folder, 'certs'), { recursive: true });
  await Promise.all([writeFile(files.tlsCaFile, ca.certificate), writeFile(files.tlsCertFile, certificate), writeFile(files.tlsPrivateKeyFile, privateKey)]);
}

export async function startAgent({ folder, node, cloud, runtime, mqttPort, nodeApiPort, serviceBusPort, nodeJobs = false }: AgentOptions): Promise<Agent> {
  const log = collectingLogger();
  const store = await openStore({ path: join(folder, 'edgecore.db'), log });
  const replaced = [createEdged(async () => runtime), createTaskManager(CALM)] as unknown as readonly ModuleDefinition[];
  const core = compose(
    {
      config: {
        database: { dataSource: join(folder, 'edgecore.db') },
        modules: {
          // The play keeps the recorded time; certificates belong to the time of the test.
          edgeHub: { ...certificateFiles(folder), websocket: { server: cloud }, rotateCertificates: false },
          edged: {
            rootDirectory: join(folder, 'kubelet'),
            // Upstream looks every 10 s; looking more often brings what there is to say without waiting for it.
            // The usual port, as it was recorded, at an address that no other test uses.
            tailoredKubeletConfig: { podLogsDir: join(folder, 'logs'), staticPodPath: join(folder, 'manifests'), nodeStatusUpdateFrequency: '100ms', address: ownLoopback() },
          },
          eventBus: mqttPort === undefined ? { enable: false } : { mqttMode: EMBEDDED_BROKER, mqttServerInternal: mqttUrl(mqttPort) },
          ...(nodeApiPort === undefined ? {} : { metaManager: { metaServer: { enable: true, server: nodeApiAddress(nodeApiPort) } } }),
          ...(serviceBusPort === undefined ? {} : { serviceBus: { enable: true, port: serviceBusPort } }),
          taskManager: { enable: nodeJobs },
          deviceTwin: { dmiSockPath: folder },
        },
        edge: { runtime: 'process' },
      },
      log,
      gates: testGates(),
      store,
      deadLetters: deadLetters(store, { log }),
      identity: { ...testIdentity(node, ['192.0.2.2']), version: AGENT_VERSION },
      tokenStore: { forgetToken: () => Promise.resolve() },
      installation: noInstallation(AGENT_VERSION),
      readyTimeoutMs: 10_000,
    },
    MODULES.map((module) => replaced.find(({ name }) => name === module.name) ?? module),
  );
  const end = new AbortController();
  const life = core.run(end.signal);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      end.abort();
      await life;
      await store[Symbol.asyncDispose]();
    })());
  return { core, log: log.lines, store, stop, [Symbol.asyncDispose]: stop };
}

function certificateFiles(folder: string): { tlsCaFile: string; tlsCertFile: string; tlsPrivateKeyFile: string } {
  const inside = (name: string): string => join(folder, 'certs', name);
  return { tlsCaFile: inside('rootCA.crt'), tlsCertFile: inside('server.crt'), tlsPrivateKeyFile: inside('server.key') };
}
