import { isFields, type KubeObject } from '@edge/protocol';

/** What is read of the objects that clusters hold; all of it may be missing or something else. */
export type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
export const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
export const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
export const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string' && item !== '') : []);
export const portOf = (value: unknown): number | undefined => (Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536 ? (value as number) : undefined);

export function labelsOf({ metadata }: KubeObject): Readonly<Record<string, unknown>> {
  return fieldsOf(metadata.labels);
}

/** Upstream's protocols without SCTP, which neither Node nor the proxies speak. */
export function protocolOf(value: unknown): 'TCP' | 'UDP' | undefined {
  if (value === undefined || value === '' || value === 'TCP') return 'TCP';
  return value === 'UDP' ? 'UDP' : undefined;
}
