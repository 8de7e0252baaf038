import type { EdgeCoreConfig } from '@edge/config';
import type { Core, Logger, ModuleDefinition, SwapStep } from '@edge/core';
import { controlSocket, modulesFolder } from '../control/control-paths.js';
import type { Origin } from '../modules/load-modules.js';
import type { RoleEntry } from '../modules/role-document.js';

export interface AgentControlParts {
  readonly core: Core;
  readonly builtIn: readonly ModuleDefinition[];
  readonly origins: readonly Origin[];
  readonly entries: ReadonlyMap<string, RoleEntry>;
  readonly config: EdgeCoreConfig;
  readonly configPath: string;
  readonly log: Logger;
}

/** Takes orders of commands such as `edgecore module`, until the signal. What carries them out is read with the first one. */
export async function takeOrders({ core, builtIn, origins, entries, config, configPath, log }: AgentControlParts, signal: AbortSignal): Promise<void> {
  const { ControlServer } = await import('../control/control-server.js');
  const path = controlSocket(config.database.dataSource);
  const makeOrders = async () => {
    const { ModuleOrders } = await import('../control/module-orders.js');
    const folder = modulesFolder(config.database.dataSource);
    return new ModuleOrders({ core, builtIn, origins, entries, configPath, modulesFolder: folder, settleMs: config.edge.upgrade.settleSeconds * 1000, log: log.named('modules') });
  };
  let orders: ReturnType<typeof makeOrders> | undefined;
  await new ControlServer({
    path,
    log: log.named('control'),
    carryOut: async (request, say, ends) => {
      const modules = await (orders ??= makeOrders());
      return request.order === 'list' ? modules.list() : modules.swap(request, (step: SwapStep) => say(step), ends);
    },
  }).run(signal);
}
