import type { Field, FieldType, Schema } from './wire.js';

/** The messages in use of `csi.v1` and `pluginregistration`, from their public field numbers. */

const field = (number: number, type: FieldType = 'string'): Field => ({ number, type });
const list = (number: number, type: FieldType = 'string'): Field => ({ number, type, repeated: true });
const message = (schema: Schema): FieldType => ({ message: schema });

export const EMPTY: Schema = {};

export const PLUGIN_INFO: Schema = { type: field(1), name: field(2), endpoint: field(3), supported_versions: list(4) };
export const REGISTRATION_STATUS: Schema = { plugin_registered: field(1, 'bool'), error: field(2) };

/** Place in the list is the number on the wire. */
export const ACCESS_MODES = [
  'UNKNOWN',
  'SINGLE_NODE_WRITER',
  'SINGLE_NODE_READER_ONLY',
  'MULTI_NODE_READER_ONLY',
  'MULTI_NODE_SINGLE_WRITER',
  'MULTI_NODE_MULTI_WRITER',
  'SINGLE_NODE_SINGLE_WRITER',
  'SINGLE_NODE_MULTI_WRITER',
] as const;

const MOUNT: Schema = { fs_type: field(1), mount_flags: list(2), volume_mount_group: field(3) };
const CAPABILITY: Schema = { block: field(1, message(EMPTY)), mount: field(2, message(MOUNT)), access_mode: field(3, message({ mode: field(1, ACCESS_MODES) })) };

const RPC: Schema = { capabilities: list(1, message({ rpc: field(1, message({ type: field(1, 'number') })) })) };
export const CAPABILITIES: Schema = RPC;
/** Of the node service. */
export const STAGE_UNSTAGE_VOLUME = 1;
export const SINGLE_NODE_MULTI_WRITER = 5;
export const VOLUME_MOUNT_GROUP = 6;

export const NODE_STAGE: Schema = {
  volume_id: field(1),
  publish_context: field(2, 'map'),
  staging_target_path: field(3),
  volume_capability: field(4, message(CAPABILITY)),
  secrets: field(5, 'map'),
  volume_context: field(6, 'map'),
};
export const NODE_UNSTAGE: Schema = { volume_id: field(1), staging_target_path: field(2) };
export const NODE_PUBLISH: Schema = {
  volume_id: field(1),
  publish_context: field(2, 'map'),
  staging_target_path: field(3),
  target_path: field(4),
  volume_capability: field(5, message(CAPABILITY)),
  readonly: field(6, 'bool'),
  secrets: field(7, 'map'),
  volume_context: field(8, 'map'),
};
export const NODE_UNPUBLISH: Schema = { volume_id: field(1), target_path: field(2) };

const TOPOLOGY: Schema = { segments: field(1, 'map') };
const CONTENT_SOURCE: Schema = { snapshot: field(1, message({ snapshot_id: field(1) })), volume: field(2, message({ volume_id: field(1) })) };
const VOLUME: Schema = {
  capacity_bytes: field(1, 'number'),
  volume_id: field(2),
  volume_context: field(3, 'map'),
  content_source: field(4, message(CONTENT_SOURCE)),
  accessible_topology: list(5, message(TOPOLOGY)),
};

/** Operations of the controller service that the cloud asks for: what is sent, what comes back, which capability they need. */
export const CONTROLLER = {
  CreateVolume: {
    capability: 1,
    request: {
      name: field(1),
      capacity_range: field(2, message({ required_bytes: field(1, 'number'), limit_bytes: field(2, 'number') })),
      volume_capabilities: list(3, message(CAPABILITY)),
      parameters: field(4, 'map'),
      secrets: field(5, 'map'),
      volume_content_source: field(6, message(CONTENT_SOURCE)),
      accessibility_requirements: field(7, message({ requisite: list(1, message(TOPOLOGY)), preferred: list(2, message(TOPOLOGY)) })),
      mutable_parameters: field(8, 'map'),
    },
    answer: { volume: field(1, message(VOLUME)) },
  },
  DeleteVolume: { capability: 1, request: { volume_id: field(1), secrets: field(2, 'map') }, answer: EMPTY },
  ControllerPublishVolume: {
    capability: 2,
    request: {
      volume_id: field(1),
      node_id: field(2),
      volume_capability: field(3, message(CAPABILITY)),
      readonly: field(4, 'bool'),
      secrets: field(5, 'map'),
      volume_context: field(6, 'map'),
    },
    answer: { publish_context: field(1, 'map') },
  },
  ControllerUnpublishVolume: { capability: 2, request: { volume_id: field(1), node_id: field(2), secrets: field(3, 'map') }, answer: EMPTY },
} as const satisfies Readonly<Record<string, { capability: number; request: Schema; answer: Schema }>>;

export type ControllerOperation = keyof typeof CONTROLLER;
