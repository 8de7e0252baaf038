import { readConfigFile, warningText, withBootstrapToken, writeBack, type EdgeCoreConfig } from '@edge/config';
import { EdgeError, errorCode, errorText, type Logger, type NodeIdentity } from '@edge/core';
import { checkEnvironment, gatherHostFacts, gatherNetwork, lookupHost, resolveNodeAddress } from '@edge/envcheck';
import { deadLetters, openStore } from '@edge/store';
import { layoutOf, ownRoot, untilReleased } from '@edge/upgrade';
import { compose, MODULES } from '../compose.js';
import { AGENT_FLAGS } from '../flags/spec.js';
import { createKlog } from '../log/klog.js';
import { stderrSink } from '../log/sink.js';
import { parseVmodule } from '../log/verbosity.js';
import { standing } from '../modules/standing.js';
import type { Terminal } from '../program.js';
import { reportToService } from '../service/report-to-service.js';
import { AGENT_VERSION, KUBEEDGE_VERSION } from '../version.js';
import { takeOrders } from './agent-control.js';
import { reportStatus } from './agent-status.js';
import { chooseModules } from './choose-modules.js';
import { gatesOf } from './gates.js';
import { openNodeInstallation } from './node-installation.js';
import { noInstallation, OnDemandInstallation } from './on-demand-installation.js';
import { protectFromOutOfMemory } from './oom-score.js';
import { nameProcess } from './process-name.js';
import { stopOnSignals } from './signals.js';

/** Runs the agent until it is told to stop; resolves with the exit code (0 stopped, 1 could not start). */
export async function runAgent(flags: Readonly<Record<string, string>>, terminal: Terminal): Promise<number> {
  const log = createKlog(stderrSink(), { level: Number(flags['v'] ?? 0), patterns: parseVmodule(flags['vmodule'] ?? '') ?? [] });
  for (const { name } of AGENT_FLAGS) {
    if (flags[name] !== undefined) log.verbose(1, `FLAG: --${name}=${JSON.stringify(flags[name])}`);
  }
  const stop = new AbortController();
  using _signals = stopOnSignals(stop, log);
  try {
    await startAgent(flags['config'] ?? '', terminal, log, stop.signal);
    return 0;
  } catch (error) {
    log.fatal(errorText(error));
    return 1;
  }
}

/** Reads, checks, opens, composes and runs; the order is upstream's. */
async function startAgent(configPath: string, terminal: Terminal, log: Logger, signal: AbortSignal): Promise<void> {
  await nameProcess(log);
  const host = await gatherHostFacts(signal);
  const { config: read, warnings, migratedFrom } = await readConfigFile(configPath, host);
  for (const warning of warnings) log.warn(`configuration: ${warningText(warning)}`);
  if (migratedFrom) log.warn('the configuration is in the old layout and was migrated in memory; the file stays as it is', { layout: migratedFrom });
  const config = await withBootstrapToken(read);
  log.info(`Version: ${KUBEEDGE_VERSION}`, { agent: AGENT_VERSION, node: process.versions.node });
  await rememberVersion(configPath, config, log);
  const { enable, tailoredKubeletConfig } = config.modules.edged;
  if (enable) await protectFromOutOfMemory(tailoredKubeletConfig.oomScoreAdj ?? undefined, config.edge.runtime, log);

  const verdict = await checkEnvironment({ env: terminal.env, metaServerEnabled: config.modules.metaManager.metaServer.enable, signal });
  if (verdict !== 'passed') log.info('the check of the environment was skipped', { reason: verdict });
  const identity = nodeIdentity(config);
  // A configured address that is wrong has to end the start; one that is merely absent (cable out) must not.
  const addresses = await identity.addresses();
  if (addresses.length === 0) log.warn('this machine has no address a node can use at present; the agent starts all the same');

  // An upgrade that has just stopped this agent copies the database.
  const installation = ownRoot(terminal.env, undefined);
  if (installation !== undefined) await untilReleased(layoutOf(installation), signal);
  await using store = await openStore({ path: config.database.dataSource, log: log.named('store') });
  const chosen = await chooseModules(MODULES, configPath, config as unknown as Record<string, unknown>, log);
  const core = compose({
    config: chosen.config,
    log,
    gates: gatesOf(config.featureGates),
    store,
    deadLetters: deadLetters(store, { log: log.named('store') }),
    identity,
    tokenStore: {
      forgetToken: () => forgetToken(configPath, log),
      readToken: async () => (await withBootstrapToken((await readConfigFile(configPath, host)).config)).modules.edgeHub.token,
    },
    installation:
      installation === undefined
        ? noInstallation(`v${AGENT_VERSION}`)
        : new OnDemandInstallation({
            exists: true,
            version: `v${AGENT_VERSION}`,
            open: () => openNodeInstallation(installation, { config, configPath, host, copyDatabase: (to) => store.backupTo(to), log: log.named('upgrade') }),
          }),
    readyTimeoutMs: config.edge.readyTimeoutSeconds * 1000,
  }, chosen.modules);
  const unfollowed = (): ReturnType<typeof standing> => standing(chosen, core.modules);
  const installed = installation === undefined ? undefined : reportStatus(core, layoutOf(installation), unfollowed, signal);
  const orders = takeOrders({ core, builtIn: MODULES, origins: chosen.origins, entries: chosen.entries, config, configPath, log }, signal);
  await Promise.all([core.run(signal), reportToService(core, terminal.env, unfollowed, log, signal), orders, installed]);
  log.info('stopped');
}

function nodeIdentity(config: EdgeCoreConfig): NodeIdentity {
  const { hostnameOverride, customInterfaceName, nodeIP } = config.modules.edged;
  return {
    name: hostnameOverride,
    version: KUBEEDGE_VERSION,
    addresses: async () => {
      const network = await gatherNetwork();
      return (await resolveNodeAddress({ ...network, customInterfaceName, nodeIP, hostname: hostnameOverride, lookup: lookupHost })).addresses;
    },
  };
}

/** Upstream notes the version that last ran in the file; `keadm` reads it there. */
async function rememberVersion(path: string, config: EdgeCoreConfig, log: Logger): Promise<void> {
  if (config.edgecoreVersion === KUBEEDGE_VERSION) return;
  try {
    await writeBack(path, [{ path: 'edgecoreVersion', value: KUBEEDGE_VERSION }]);
  } catch (error) {
    // A read-only file system must not keep a node from starting.
    if (!errorCode(error).startsWith('config.')) throw error;
    log.warn('the version could not be noted in the configuration file', { path, err: errorText(error) });
  }
}

async function forgetToken(path: string, log: Logger): Promise<void> {
  try {
    await writeBack(path, [{ path: 'modules.edgeHub.token', value: '' }]);
  } catch (cause) {
    throw new EdgeError('cli.token', `the used token could not be removed from ${path}; empty modules.edgeHub.token by hand`, { cause });
  }
  log.info('the used token was removed from the configuration file', { path });
}
