import { type DeviceStatus, isFields, type TwinValue } from '@edge/protocol';
import type { StoredDevice } from '../objects.js';

type Status = NonNullable<DeviceStatus['status']>;

/** What a node says of one device. */
export interface DeviceReport {
  /** By property; a side that is absent was not reported. */
  readonly twins?: ReadonlyMap<string, { readonly reported?: TwinValue; readonly observedDesired?: TwinValue }>;
  readonly state?: string;
  readonly lastOnlineTime?: string;
}

/** Of which device a message tells, and what. */
export interface ReportTarget {
  readonly namespace: string;
  readonly name: string;
  readonly about: 'twins' | 'state';
}

/** Reads `device/<namespace>/<name>/twin/edge_updated` and `…/state/update`; undefined for any other resource. */
export function reportTarget(resource: string): ReportTarget | undefined {
  const [type, namespace, name, ...rest] = resource.split('/');
  const about = rest.join('/') === 'twin/edge_updated' ? 'twins' : rest.join('/') === 'state/update' ? 'state' : undefined;
  return type === 'device' && namespace && name && about ? { namespace, name, about } : undefined;
}

/** Reads `{"twin":{"<property>":{"actual","expected","metadata"}}}`. What is not as it should be is left out. */
export function readTwins(content: Record<string, unknown>): DeviceReport {
  const twins = new Map<string, { reported?: TwinValue; observedDesired?: TwinValue }>();
  const given = isFields(content['twin']) ? content['twin'] : {};
  for (const [property, twin] of Object.entries(given)) {
    if (!isFields(twin)) continue;
    const type = isFields(twin['metadata']) ? twin['metadata']['type'] : undefined;
    const reported = readValue(twin['actual'], type);
    const observedDesired = readValue(twin['expected'], type);
    if (reported ?? observedDesired) twins.set(property, { ...(reported ? { reported } : {}), ...(observedDesired ? { observedDesired } : {}) });
  }
  return { twins };
}

/** Reads `{"device":{"state","lastOnlineTime"}}`; an empty text is no news. */
export function readState(content: Record<string, unknown>): DeviceReport {
  const { state, lastOnlineTime } = isFields(content['device']) ? content['device'] : {};
  return {
    ...(typeof state === 'string' && state !== '' ? { state } : {}),
    ...(typeof lastOnlineTime === 'string' && lastOnlineTime !== '' ? { lastOnlineTime } : {}),
  };
}

function readValue(given: unknown, type: unknown): TwinValue | undefined {
  if (!isFields(given) || typeof given['value'] !== 'string') return undefined;
  const { timestamp } = isFields(given['metadata']) ? given['metadata'] : {};
  const metadata = { ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }), ...(typeof type === 'string' ? { type } : {}) };
  return { value: given['value'], ...(Object.keys(metadata).length > 0 ? { metadata } : {}) };
}

/** A status with a report in it. Only properties of the device count; entries of properties that it has no more go. */
export function withReport(status: Status, report: DeviceReport, properties: StoredDevice['spec']['properties'] = []): Status {
  const { twins: _before, ...rest } = status;
  const { state = rest.state, lastOnlineTime = rest.lastOnlineTime } = report;
  const next: Status = { ...rest, ...(state === undefined ? {} : { state }), ...(lastOnlineTime === undefined ? {} : { lastOnlineTime }) };
  if (!report.twins) return status.twins ? { ...next, twins: status.twins } : next;
  const names = new Set(properties.map((property) => property.name));
  const twins = new Map((status.twins ?? []).filter((twin) => names.has(twin.propertyName)).map((twin) => [twin.propertyName, twin]));
  for (const [property, sides] of report.twins) {
    if (!names.has(property)) continue;
    // Both sides are always there, as CloudCore writes them.
    twins.set(property, { reported: { value: '' }, observedDesired: { value: '' }, ...twins.get(property), ...sides, propertyName: property });
  }
  return twins.size > 0 ? { ...next, twins: [...twins.values()] } : next;
}
