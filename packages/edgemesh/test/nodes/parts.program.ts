import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { AgentPart } from './agent-part.js';
import { Callers } from './callers.js';
import { serveAll } from './servers.js';

interface Question {
  readonly id: number;
  readonly what: string;
  readonly [name: string]: unknown;
}

const callers = new Callers();
const agent = new AgentPart();
const answers: Readonly<Record<string, (question: never) => unknown>> = {
  serve: ({ name, addresses, ports }: { name: string; addresses: string[]; ports?: number[] }) => serveAll(name, addresses, ports),
  agent: ({ config, services, programs, address }: { config: unknown; services: never[]; programs?: Record<string, string>; address?: string }) => agent.start(config, services, programs, address),
  services: ({ services }: { services: never[] }) => agent.put(services),
  /** A port of this network's loopback leads to a socket file, and so out of it. */
  passage: async ({ port, path }: { port: number; path: string }) => {
    const server = createServer((inner) => {
      const outer = connect(path);
      inner.pipe(outer).pipe(inner);
      inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
      outer.on('error', () => inner.resetAndDestroy()).on('close', () => inner.destroy());
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
  },
  /** Ticks of processor time so far: of the agent's own thread, and of all its threads. */
  ticks: () => ({ own: ticksOf(`/proc/self/task/${process.pid}/stat`), all: ticksOf('/proc/self/stat') }),
  memory: () => process.memoryUsage().rss,
  connections: () => agent.connections(),
  said: () => agent.said,
  ...callers.answers,
};

function ticksOf(file: string): number {
  // The name in front may hold blanks; user and system time are the 14th and 15th.
  const values = readFileSync(file, 'utf8').replace(/^.*\) /, '').split(' ');
  return Number(values[11]) + Number(values[12]);
}

process.on('message', (question: Question) => {
  const answer = answers[question.what];
  Promise.resolve()
    .then(() => answer?.(question as never))
    .then((value) => process.send?.({ id: question.id, value }), (error: Error) => process.send?.({ id: question.id, error: `${question.what}: ${error.message}` }));
});
process.once('SIGTERM', () => void agent.stop().then(() => process.exit(0)));
