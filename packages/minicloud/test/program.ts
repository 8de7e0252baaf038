import { runMinicloud } from '../src/main-program.js';

/** The program as cli starts it, for tests that kill it. */
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
const level = (name: string) => (message: string, fields: object = {}): boolean => process.stderr.write(`${name} ${message} ${JSON.stringify(fields)}\n`);
const log = { error: level('E'), warn: level('W'), info: level('I'), verbose: () => undefined, named: () => log } as never;
process.exitCode = await runMinicloud(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, stdin: process.stdin, signal: stop.signal, log });
