import { untilAborted, type LogFields, type Logger } from '@edge/core';
import type { Message } from '@edge/protocol';
import type { Script } from './test-bus.js';

/** Where an example says what happens; one line without its end. */
export type Print = (line: string) => void;

/** Longer contents are cut in what is printed. */
const MOST_LETTERS = 240;

/** Prints a line to the standard output. */
export const printLine: Print = (line) => void process.stdout.write(`${line}\n`);

/** A script that says each message that comes to the neighbour `name`, and what it answers. For examples. */
export function aloud(name: string, script: Script = () => undefined, print: Print = printLine): Script {
  return async (message: Message) => {
    print(`to ${name}: ${message.route.operation} ${message.route.resource}${contentOf(message.content)}`);
    const answer: unknown = await script(message);
    if (answer !== undefined) print(`${name} answers:${contentOf(isMessage(answer) ? answer.content : answer)}`);
    return answer;
  };
}

/** A logger that prints what people are to see: errors, warnings and news. For examples. */
export function printingLogger(print: Print = printLine, name = ''): Logger {
  const line = (level: string) => (message: string, fields?: LogFields) => print(`${level}${name === '' ? '' : ` ${name}`}: ${message}${contentOf(fields)}`);
  return { error: line('error'), warn: line('warn'), info: line('info'), verbose: () => undefined, named: (child) => printingLogger(print, child) };
}

/** Resolves at once, or with `--stay` among the program's arguments when somebody presses Ctrl-C. The end of an example's scene. */
export async function stayIfAsked(args: readonly string[] = process.argv): Promise<void> {
  if (!args.includes('--stay')) return;
  printLine('stays until Ctrl-C');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  // A promise alone keeps no process alive.
  const alive = setInterval(() => undefined, 60_000);
  await untilAborted(stop.signal);
  clearInterval(alive);
}

function contentOf(content: unknown): string {
  if (content === undefined || content === null) return '';
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return ` ${text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text}`;
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'header' in value && 'route' in value;
}
