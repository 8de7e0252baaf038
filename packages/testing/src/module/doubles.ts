import type { DeadLetters, FeatureGates, LogFields, Logger, NodeIdentity } from '@edge/core';
import type { Message } from '@edge/protocol';

/** One line that a component logged. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'verbose';
  readonly name: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps its lines; those of all its named children go to the same list. */
export function collectingLogger(lines: LogLine[] = [], name = 'test'): Logger & { readonly lines: LogLine[] } {
  const add = (level: LogLine['level'], message: string, fields: LogFields = {}): void => void lines.push({ level, name, message, fields });
  return {
    lines,
    error: (message, fields) => add('error', message, fields),
    warn: (message, fields) => add('warn', message, fields),
    info: (message, fields) => add('info', message, fields),
    verbose: (_level, message, fields) => add('verbose', message, fields),
    named: (child) => collectingLogger(lines, child),
  };
}

/** An identity with fixed name and addresses. */
export function testIdentity(name = 'edge-1', addresses: readonly string[] = ['192.0.2.10']): NodeIdentity {
  return { name, version: 'v0.0.0-test', addresses: () => Promise.resolve(addresses) };
}

/** Feature gates with the given values; all others are off. */
export function testGates(values: Readonly<Record<string, boolean>> = {}): FeatureGates {
  return { enabled: (gate) => values[gate] ?? false, explicit: (gate) => values[gate] };
}

/** A message that was set aside. */
export interface DeadLetter {
  readonly module: string;
  readonly message: Message;
  readonly error: unknown;
}

/** Keeps what is set aside in a list. */
export function collectingDeadLetters(): DeadLetters & { readonly letters: DeadLetter[] } {
  const letters: DeadLetter[] = [];
  return { letters, add: (module, message, error) => void letters.push({ module, message, error }) };
}
