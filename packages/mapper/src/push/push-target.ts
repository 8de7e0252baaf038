import type { ValueType } from '../device/values.js';

/** What is pushed: one value of one property. */
export interface PushedValue {
  readonly namespace: string;
  readonly device: string;
  readonly property: string;
  readonly type: ValueType;
  readonly text: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** One way out for values. Made with its first value, closed when no property uses it any more. */
export interface PushTarget {
  /** Resolves when the other side has it. @throws MapperError `mapper.push-failed`, `mapper.missing-package` */
  push(value: PushedValue, signal: AbortSignal): Promise<void>;
  close?(): Promise<void>;
}

/** How push targets get at passwords, which are in no manifest. */
export type Secrets = Readonly<Record<string, string | undefined>>;

/** Limit of one push, in milliseconds, where the manifest names none. */
export const PUSH_MS = 5000;

/** An address or a URL as it may stand in a log: without user, password and query. */
export function withoutSecrets(address: string): string {
  return address.replace(/^((?:[a-z][-+.a-z0-9]*:)?\/\/)?[^/?#]*@/i, '$1').replace(/\?.*/s, '');
}

/** `2026-01-02 03:04:05` in the time of the machine, as mapper-framework writes times. */
export function localTime(at: number): string {
  const date = new Date(at);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The value as a number when its type is one; booleans are 1 and 0. */
export function numberOf({ type, text }: PushedValue): number | undefined {
  if (type === 'BOOLEAN') return text === 'true' ? 1 : 0;
  return type === 'INT' || type === 'FLOAT' || type === 'DOUBLE' ? Number(text) : undefined;
}

/** The form in which mapper-framework stores values. */
export function dataModel({ namespace, device, property, type, text, at }: PushedValue): Record<string, string | number> {
  return { DeviceName: device, PropertyName: property, Namespace: namespace, Value: text, Type: type.toLowerCase(), TimeStamp: at };
}
