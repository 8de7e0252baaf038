import { defaultConfig } from '../../packages/config/src/index.js';
import { SMALL_MEMORY_ENV } from '../../packages/cli/src/dev/agent-process.js';
import { serviceOptions } from '../../packages/cli/src/install/service-options.js';
import { SMALL_MEMORY_FLAGS, systemdUnit } from '../../packages/upgrade/src/index.js';

/** How the agent is run, said once in its sources and used by what is made of it. */
export const facts = {
  flags: SMALL_MEMORY_FLAGS,
  environment: SMALL_MEMORY_ENV,
  /** The unit of `edgecore install`, for a program at that path and the configuration as it is by default. */
  unit: (program: string): string => systemdUnit(serviceOptions(defaultConfig({ hostname: 'node', localIP: '127.0.0.1' }), program, [])),
};
