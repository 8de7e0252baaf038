import { parseWaysConfig } from '../../src/ways-config.js';
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
  agent: ({ config, services }: { config: unknown; services: never[] }) => agent.start(parseWaysConfig(config), services),
  services: ({ services }: { services: never[] }) => agent.put(services),
  memory: () => process.memoryUsage().rss,
  connections: () => agent.connections,
  said: () => agent.said,
  ...callers.answers,
};

process.on('message', (question: Question) => {
  const answer = answers[question.what];
  Promise.resolve()
    .then(() => answer?.(question as never))
    .then((value) => process.send?.({ id: question.id, value }), (error: Error) => process.send?.({ id: question.id, error: `${question.what}: ${error.message}` }));
});
process.once('SIGTERM', () => void agent.stop().then(() => process.exit(0)));
