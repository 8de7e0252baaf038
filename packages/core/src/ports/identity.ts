import { token } from '../token.js';

/** Who this node is. */
export interface NodeIdentity {
  /** Name of the Node object: `modules.edged.hostnameOverride`. */
  readonly name: string;
  /** Addresses for the Node's `InternalIP`, the preferred family first. Asked each time because interfaces change. */
  addresses(): Promise<readonly string[]>;
  /** Version of the agent, `v1.23.1` style, goes into `kubeletVersion`. */
  readonly version: string;
}

export const NodeIdentity = token<NodeIdentity>('core', 'NodeIdentity');

/** Feature gates of the configuration. */
export interface FeatureGates {
  /** True when on, by default or by configuration. */
  enabled(gate: string): boolean;
  /** The configured value, undefined when the configuration is silent. */
  explicit(gate: string): boolean | undefined;
}

export const FeatureGates = token<FeatureGates>('core', 'FeatureGates');
