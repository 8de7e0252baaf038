import type { EdgeCoreConfig } from '@edge/config';
import { parseEdgedConfig } from '@edge/edged';
import type { ServiceOptions } from '@edge/upgrade';
import { SMALL_MEMORY_ENV } from '../dev/agent-process.js';

/** Seconds that the agent's modules may take to stop, with room to spare on a slow machine. */
const STOP_SECONDS = 60;

/**
 * What the agent needs of the service that runs it.
 * @param program what the service starts
 */
export function serviceOptions(config: EdgeCoreConfig, program: string, args: readonly string[]): ServiceOptions {
  const edged = parseEdgedConfig(config.modules.edged, config as unknown as Record<string, unknown>);
  const score = config.modules.edged.tailoredKubeletConfig.oomScoreAdj ?? undefined;
  return {
    program,
    args,
    environment: SMALL_MEMORY_ENV,
    stopSeconds: STOP_SECONDS + edged.shutdown.reduce((sum, { seconds }) => sum + seconds, 0),
    // Pods as plain processes would inherit it.
    ...(config.edge.runtime === 'cri' && score !== undefined ? { oomScoreAdjust: score } : {}),
  };
}
