import {
  CONTRACT_VERSIONS,
  Core,
  NodeIdentity,
  Store,
  type DeadLetters,
  type FeatureGates,
  type Logger,
  type ModuleDefinition,
} from '@edge/core';
import { devicetwin } from '@edge/devicetwin';
import { edged } from '@edge/edged';
import { edgehub, TokenStore } from '@edge/edgehub';
import { edgemesh } from '@edge/edgemesh';
import { edgestream } from '@edge/edgestream';
import { eventbus } from '@edge/eventbus';
import { metamanager } from '@edge/metamanager';
import { metaserver } from '@edge/metaserver';
import { servicebus } from '@edge/servicebus';
import { NodeInstallation, taskmanager } from '@edge/taskmanager';
import { testmanager } from '@edge/testmanager';

/** The modules of the agent. Adding one to the agent is adding one line here. */
export const MODULES: readonly ModuleDefinition[] = [edgehub, metamanager, metaserver, eventbus, servicebus, devicetwin, edged, edgestream, edgemesh, taskmanager, testmanager] as unknown as readonly ModuleDefinition[];

/** What the modules stand on. */
export interface Platform {
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  readonly gates: FeatureGates;
  readonly store: Store;
  readonly deadLetters: DeadLetters;
  readonly identity: NodeIdentity;
  readonly tokenStore: TokenStore;
  /** The versions of the agent on this node, for jobs that change them. */
  readonly installation: NodeInstallation;
  /** Milliseconds that a module may take to get ready. */
  readonly readyTimeoutMs: number;
}

/**
 * The one place where modules and platform meet.
 * @param modules the agent's, unless a test puts one together differently
 */
export function compose(platform: Platform, modules: readonly ModuleDefinition[] = MODULES): Core {
  const core = new Core({
    config: platform.config,
    log: platform.log,
    gates: platform.gates,
    deadLetters: platform.deadLetters,
    contract: CONTRACT_VERSIONS,
    readyTimeoutMs: platform.readyTimeoutMs,
    platform: (bind) => {
      bind(Store).toConstantValue(platform.store);
      bind(NodeIdentity).toConstantValue(platform.identity);
      bind(TokenStore).toConstantValue(platform.tokenStore);
      bind(NodeInstallation).toConstantValue(platform.installation);
    },
  });
  for (const module of modules) core.register(module);
  return core;
}
