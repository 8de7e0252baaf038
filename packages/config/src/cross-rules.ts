import { parseGoDuration } from './go-duration.js';
import type { EdgeCoreConfig } from './schema/schema.js';

export interface CrossFinding {
  readonly path: string;
  readonly value: unknown;
  readonly severity: 'error' | 'warning';
  readonly expected: string;
}

/** Rules that look at more than one value. */
export function crossRules(config: EdgeCoreConfig): readonly CrossFinding[] {
  return [...oneProtocol(config), ...imageThresholds(config), ...shutdown(config)];
}

function oneProtocol({ modules: { edgeHub } }: EdgeCoreConfig): readonly CrossFinding[] {
  if (!edgeHub.enable || edgeHub.websocket.enable !== edgeHub.quic.enable) return [];
  const value = edgeHub.websocket.enable;
  const expected = value
    ? 'should be enabled for only one of websocket and quic; set modules.edgeHub.quic.enable to false'
    : 'should be enabled for one of websocket and quic; set modules.edgeHub.websocket.enable to true';
  return [{ path: 'modules.edgeHub.websocket.enable', value, severity: 'error', expected }];
}

/** Upstream takes it and then never collects, or always. */
function imageThresholds({ modules: { edged } }: EdgeCoreConfig): readonly CrossFinding[] {
  const { imageGCHighThresholdPercent: high, imageGCLowThresholdPercent: low } = edged.tailoredKubeletConfig;
  if (!edged.enable || high === undefined || low === undefined || low < high) return [];
  const expected = `should be less than imageGCHighThresholdPercent, which is ${high}`;
  return [{ path: 'modules.edged.tailoredKubeletConfig.imageGCLowThresholdPercent', value: low, severity: 'error', expected }];
}

function shutdown({ modules: { edged } }: EdgeCoreConfig): readonly CrossFinding[] {
  const { shutdownGracePeriod: whole, shutdownGracePeriodCriticalPods: critical } = edged.tailoredKubeletConfig;
  if (!edged.enable || (parseGoDuration(critical) ?? 0n) <= (parseGoDuration(whole) ?? 0n)) return [];
  const path = 'modules.edged.tailoredKubeletConfig.shutdownGracePeriodCriticalPods';
  return [{ path, value: critical, severity: 'error', expected: `should not be longer than shutdownGracePeriod, which is ${whole}` }];
}
