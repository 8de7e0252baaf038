import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeBack } from '@edge/config';
import { backoffDelay, EdgeError, errorCode, errorText, isAbort, sleep, untilAborted, type Logger } from '@edge/core';
import { runtimeSockets } from '@edge/cri';
import { startMinicloud, type Minicloud } from '@edge/minicloud';
import { createKlog } from '../log/klog.js';
import type { DevSettings } from '../commands/dev.js';
import { stopOnSignals } from '../agent/signals.js';
import type { Terminal } from '../program.js';
import { agentConfig, EMBEDDED_BROKER, mqttUrl, nodeApiAddress } from './agent-config.js';
import { startAgentProcess, type AgentProcess } from './agent-process.js';
import { fileSink } from './file-sink.js';
import { keptChoices } from './kept-choices.js';
import { containerRuntime } from './container-runtime.js';
import { mapperSocket } from './mapper-socket.js';
import { nodeReady } from './node-ready.js';
import { choosePorts, type DevPorts } from './ports.js';

const RESTART = { firstMs: 1000, factor: 2, limitMs: 30_000, jitter: 0.1 };

const STOPPED = `Stopped. Start again to go on with the same data.
Pods go on without the agent, as on a real node; kubectl delete ends them while it runs.
`;

/** Runs cloud and agent until told to stop. Resolves with the exit code. */
export async function runDev(settings: DevSettings, terminal: Terminal): Promise<number> {
  const logs = join(settings.data, 'logs');
  try {
    await mkdir(logs, { recursive: true, mode: 0o700 });
  } catch (error) {
    terminal.err(`Error: cannot use ${settings.data} as data folder: ${errorText(error)}; give another with --data\n`);
    return 1;
  }
  using sink = fileSink(join(logs, 'cloud.log'));
  const log = createKlog(sink, { level: Number(settings.verbosity), patterns: [] });
  const stop = new AbortController();
  using _signals = stopOnSignals(stop, log);
  try {
    const ports = await choosePorts(settings.portBase);
    await using cloud = await startMinicloud({
      dataDir: join(settings.data, 'cloud'),
      host: '127.0.0.1',
      hubPort: ports.hub,
      httpsPort: ports.https,
      apiPort: ports.api,
      tunnelPort: ports.tunnel,
      routerPort: ports.router,
      requireAuthorization: true,
      log,
    });
    const config = await prepareAgent(settings, cloud, ports);
    const { node = settings.node, runtime = 'cri', nodeApi } = keptChoices(await readFile(config, 'utf8'));
    terminal.out(banner({ settings, runtime, cloud, ports, logs, hasNodeApi: nodeApi === 'true' }));
    await superviseAgent({ settings, cloud, config, node, logs, terminal, log, signal: stop.signal });
    terminal.out(STOPPED);
    return 0;
  } catch (error) {
    const inUse = errorCode(error) === 'minicloud.data-in-use';
    terminal.err(`Error: ${inUse ? `another edgecore dev runs with ${settings.data}; stop it, or give another folder with --data` : errorText(error)}\n`);
    return 1;
  }
}

/** Writes the agent's configuration; an existing one keeps what the user changed in it, only addresses, token and a `--runtime` are set. */
async function prepareAgent(settings: DevSettings, cloud: Minicloud, ports: DevPorts): Promise<string> {
  const path = join(settings.data, 'edgecore.yaml');
  const token = cloud.token();
  if (!existsSync(path)) {
    const runtime = settings.runtime === 'cri' ? await containerRuntime(settings) : ({ runtime: 'process' } as const);
    const parts = { data: settings.data, node: settings.node, ...runtime, hubAddress: cloud.hubAddress, httpsUrl: `https://${cloud.httpsAddress}`, kubeletPort: ports.kubelet, mqttPort: ports.mqtt, tunnelAddress: cloud.tunnelAddress, nodeApiPort: ports.nodeApi, serviceBusPort: ports.serviceBus, token } as const;
    await writeFile(path, agentConfig(parts), { mode: 0o600 });
    return path;
  }
  const kept = keptChoices(await readFile(path, 'utf8'));
  const switched = settings.runtime === 'cri' && kept.runtime !== 'cri' ? await containerRuntime(settings) : undefined;
  const endpoint = switched?.endpoint ?? settings.endpoint;
  const enrolled = existsSync(join(settings.data, 'agent', 'certs', 'server.crt'));
  await writeBack(path, [
    { path: 'modules.edgeHub.httpServer', value: `https://${cloud.httpsAddress}` },
    { path: 'modules.edgeHub.websocket.server', value: cloud.hubAddress },
    { path: 'modules.edged.tailoredKubeletConfig.readOnlyPort', value: ports.kubelet },
    { path: 'modules.eventBus.mqttServerInternal', value: mqttUrl(ports.mqtt) },
    { path: 'modules.edgeStream.server', value: cloud.tunnelAddress },
    // A folder of before there were logs and commands gets them; one whose user said no stays without.
    ...(kept.edgeStream === undefined ? [{ path: 'modules.edgeStream.enable', value: true }] : []),
    // A configuration that names no mode gets the embedded broker; a mode that the user chose stays.
    ...(kept.mqttMode === undefined ? [{ path: 'modules.eventBus.mqttMode', value: EMBEDDED_BROKER }] : []),
    { path: 'modules.metaManager.metaServer.server', value: nodeApiAddress(ports.nodeApi) },
    { path: 'modules.serviceBus.port', value: ports.serviceBus },
    ...(kept.serviceBus === undefined ? [{ path: 'modules.serviceBus.enable', value: true }] : []),
    ...(kept.taskManager === undefined ? [{ path: 'modules.taskManager.enable', value: true }] : []),
    ...(kept.nodeApi === undefined ? [{ path: 'modules.metaManager.metaServer.enable', value: true }] : []),
    ...(settings.runtime === 'auto' ? [] : [{ path: 'edge.runtime', value: settings.runtime }]),
    ...(endpoint === undefined ? [] : [{ path: 'modules.edged.tailoredKubeletConfig.containerRuntimeEndpoint', value: endpoint }]),
    ...(switched === undefined ? [] : [{ path: 'modules.edged.tailoredKubeletConfig.cgroupRoot', value: switched.cgroupRoot }]),
    // A token is of use only to a node that has no certificate yet.
    ...(enrolled ? [] : [{ path: 'modules.edgeHub.token', value: token }]),
  ]);
  return path;
}

interface Supervision {
  readonly settings: DevSettings;
  readonly cloud: Minicloud;
  readonly config: string;
  /** The node's name as the configuration has it. */
  readonly node: string;
  readonly logs: string;
  readonly terminal: Terminal;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Keeps the agent running, says when the node is Ready, stops it at the end. */
async function superviseAgent({ settings, cloud, config, node, logs, terminal, log, signal }: Supervision): Promise<void> {
  const program = process.argv[1];
  if (program === undefined) throw new EdgeError('cli.program', 'cannot tell which program this is; start it as `edgecore dev`');
  const agentLog = join(logs, 'agent.log');
  const args = ['--config', config, `--v=${settings.verbosity}`];
  let wasReady = false;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const startedAt = Date.now();
    const agent: AgentProcess = startAgentProcess(program, args, agentLog, { ...process.env, CHECK_EDGECORE_ENVIRONMENT: 'false' });
    log.info('the agent was started', { pid: agent.pid });
    const done = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    const announce = nodeReady(cloud, node, startedAt, either).then(
      () => {
        wasReady = true;
        terminal.out(`Node ${node} is Ready (${((Date.now() - startedAt) / 1000).toFixed(1)} s after the agent's start).\n${hint(cloud)}`);
      },
      (error: unknown) => {
        if (!isAbort(error)) throw error;
      },
    );
    const outcome = await Promise.race([agent.ended, untilAborted(signal)]);
    done.abort();
    await announce;
    if (outcome === undefined) {
      terminal.out('\nStopping...\n');
      await agent.stop(25_000);
      return;
    }
    const reason = outcome.signal ? `signal ${outcome.signal}` : `code ${outcome.code}`;
    if (outcome.code === 1 && !wasReady) throw new EdgeError('cli.agent', `the agent could not start; the end of ${agentLog} says:\n${await lastLines(agentLog, 5)}`);
    terminal.err(`The agent ended with ${reason}; it is started again. Its log: ${agentLog}\n`);
    await sleep(backoffDelay(RESTART, attempt, Math.random()), signal).catch(() => undefined);
  }
}

interface BannerParts {
  readonly settings: DevSettings;
  readonly runtime: string;
  readonly cloud: Minicloud;
  readonly ports: DevPorts;
  readonly logs: string;
  readonly hasNodeApi: boolean;
}

function banner({ settings, runtime, cloud, ports, logs, hasNodeApi }: BannerParts): string {
  const socket = runtimeSockets.find((path) => existsSync(path));
  const shown = runtime === 'process' ? 'process (pods are plain processes of this machine, without isolation)' : runtime;
  return `An embedded cloud and one edge node. For a first look, not for production.

  data        ${settings.data}
  kubeconfig  ${cloud.kubeconfigPath}
  cloud       ${cloud.url}
  runtime     ${shown}${settings.runtime === 'auto' && runtime === 'process' && socket ? `; --runtime cri would use ${socket}` : ''}${hasNodeApi ? `
  node's API  kubectl --server http://${nodeApiAddress(ports.nodeApi)} get pods -A` : ''}
  mqtt        ${mqttUrl(ports.mqtt)}
  rules       ${cloud.routerUrl}/<node>/<namespace>/<path>; programs on the node ask http://127.0.0.1:${ports.serviceBus}
  mappers     ${mapperSocket(join(settings.data, 'agent'))}
  logs        ${logs}

`;
}

function hint(cloud: Minicloud): string {
  return `Try it:
  export KUBECONFIG=${cloud.kubeconfigPath}
  kubectl get nodes
  kubectl apply -f examples/hello/
Ctrl-C stops both.
`;
}

async function lastLines(path: string, count: number): Promise<string> {
  return (await readFile(path, 'utf8')).trimEnd().split('\n').slice(-count).join('\n');
}
