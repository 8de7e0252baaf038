import type { LogFields, Logger } from '@edge/core';
import { errorText } from '@edge/core';
import { type Verbosity, verbosityFor } from './verbosity.js';

type Severity = 'I' | 'W' | 'E' | 'F';

/** Where finished lines go. */
export interface LineSink {
  write(line: string): void;
}

/**
 * A logger that writes klog's text format, `<I|W|E|F>MMDD HH:MM:SS.micros <pid> <component>:<line>] message key="value"`,
 * so that tools that read the Go agent's log read this one.
 * The place behind the pid is the component; its line is always 1, since positions in a bundled program mean nothing.
 * `--vmodule` patterns match the component.
 */
export function createKlog(sink: LineSink, verbosity: Verbosity, now: () => Date = () => new Date()): Logger & { fatal(message: string): void } {
  const pid = String(process.pid).padStart(7, ' ');
  const line = (severity: Severity, name: string, message: string, fields?: LogFields): void =>
    sink.write(`${severity}${stamp(now())} ${pid} ${name}.ts:1] ${oneLine(message)}${formatFields(fields)}\n`);
  const logger = (name: string): Logger => {
    const level = verbosityFor(verbosity, name);
    return {
      error: (message, fields) => line('E', name, message, fields),
      warn: (message, fields) => line('W', name, message, fields),
      info: (message, fields) => line('I', name, message, fields),
      verbose: (at, message, fields) => {
        if (at <= level) line('I', name, message, fields);
      },
      named: (child) => logger(child),
    };
  };
  return { ...logger('edgecore'), fatal: (message) => sink.write(`F${stamp(now())} ${pid} edgecore.ts:1] ${message}\n`) };
}

function stamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  // The platform's clock has no microseconds worth the name; the last three digits come from the finer monotonic clock.
  const micros = String(Math.floor((performance.now() * 1000) % 1000)).padStart(3, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}${micros}`;
  return `${two(date.getMonth() + 1)}${two(date.getDate())} ${time}`;
}

function formatFields(fields: LogFields | undefined): string {
  if (!fields) return '';
  let text = '';
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) text += ` ${key}=${formatValue(value)}`;
  }
  return text;
}

function formatValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Error) return JSON.stringify(errorText(value));
  return JSON.stringify(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)));
}

/** A line break in a message would let a peer forge lines of the log. */
function oneLine(message: string): string {
  return message.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}
