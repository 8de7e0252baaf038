/**
 * The tables of upstream's database file (v1.23), which Go EdgeCore opens after us and before us: names, column
 * order and types are those of the file. Shaped like core's `TableSpec`, which this package cannot import.
 * NULL is read as `''` or `0`.
 * @example store.table<MetaRow>(metaTable)
 */
export interface UpstreamTable<Row extends object> {
  readonly name: string;
  readonly columns: { readonly [C in keyof Row & string]: string };
  readonly key: readonly (keyof Row & string)[];
  readonly autoIncrement?: boolean;
}

/** One stored message content; owner: metamanager. */
export interface MetaRow {
  /** The message's resource without the `node/NODE/` prefix. */
  key: string;
  /** Resource type: `pod`, `configmap`, `podpatch`, … */
  type: string;
  /** The content as JSON text, or the string that the content was. */
  value: string;
}

export const metaTable: UpstreamTable<MetaRow> = {
  name: 'meta',
  columns: { key: 'text', type: 'text', value: 'text' },
  key: ['key'],
};

/** One object as the local API serves it; owner: metamanager. */
export interface MetaV2Row {
  /** `/core/v1/pods/default/p1`. */
  key: string;
  /** `/v1, Resource=pods`. */
  group_version_resource: string;
  /** Empty for cluster scope. */
  namespace: string;
  name: string;
  resource_version: number;
  /** The object as JSON text with sorted keys and a newline at the end. */
  value: string;
}

/** Files of v1.22 and older call two columns `groupversionresource` and `resourceversion`; the store reads and keeps both. */
export const metaV2Table: UpstreamTable<MetaV2Row> = {
  name: 'meta_v2',
  columns: {
    key: 'text',
    group_version_resource: 'text',
    namespace: 'text',
    name: 'text',
    resource_version: 'integer',
    value: 'text',
  },
  key: ['key'],
};

/** One device; owner: devicetwin. */
export interface DeviceRow {
  /** `NAMESPACE/NAME`. */
  id: string;
  name: string;
  description: string;
  state: string;
  last_online: string;
}

export const deviceTable: UpstreamTable<DeviceRow> = {
  name: 'device',
  columns: { id: 'text', name: 'text', description: 'text', state: 'text', last_online: 'text' },
  key: ['id'],
};

/** One attribute of a device; owner: devicetwin. */
export interface DeviceAttrRow {
  /** Given by the database; 0 in a new row. */
  id: number;
  deviceid: string;
  name: string;
  description: string;
  value: string;
  /** 0 or 1. */
  optional: number;
  attr_type: string;
  /** JSON text. */
  metadata: string;
}

export const deviceAttrTable: UpstreamTable<DeviceAttrRow> = {
  name: 'device_attr',
  columns: {
    id: 'integer',
    deviceid: 'text',
    name: 'text',
    description: 'text',
    value: 'text',
    optional: 'numeric',
    attr_type: 'text',
    metadata: 'text',
  },
  key: ['id'],
  autoIncrement: true,
};

/** One twin property of a device; owner: devicetwin. `*_meta`, `*_version` and `metadata` are JSON text. */
export interface DeviceTwinRow {
  /** Given by the database; 0 in a new row. */
  id: number;
  deviceid: string;
  name: string;
  description: string;
  expected: string;
  actual: string;
  expected_meta: string;
  actual_meta: string;
  expected_version: string;
  actual_version: string;
  /** 0 or 1. */
  optional: number;
  attr_type: string;
  metadata: string;
}

export const deviceTwinTable: UpstreamTable<DeviceTwinRow> = {
  name: 'device_twin',
  columns: {
    id: 'integer',
    deviceid: 'text',
    name: 'text',
    description: 'text',
    expected: 'text',
    actual: 'text',
    expected_meta: 'text',
    actual_meta: 'text',
    expected_version: 'text',
    actual_version: 'text',
    optional: 'numeric',
    attr_type: 'text',
    metadata: 'text',
  },
  key: ['id'],
  autoIncrement: true,
};

/** One MQTT topic that the node subscribes to; owner: eventbus. */
export interface SubTopicRow {
  topic: string;
}

export const subTopicsTable: UpstreamTable<SubTopicRow> = {
  name: 'sub_topics',
  columns: { topic: 'text' },
  key: ['topic'],
};

/** One URL that rules may call; owner: servicebus. */
export interface TargetUrlRow {
  url: string;
}

export const targetUrlsTable: UpstreamTable<TargetUrlRow> = {
  name: 'target_urls',
  columns: { url: 'text' },
  key: ['url'],
};
