import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleExamples } from './alone.mjs';

const packages = fileURLToPath(new URL('../packages', import.meta.url));

/** Package → what its example says when what it is about has happened. */
const SCENES: Readonly<Record<string, string>> = {
  cli: 'unknown command "moduls"',
  config: 'problem: modules.edgeHub.heartbeat (line 5): is "often"',
  core: 'asker: question 4, the counter says 1',
  cri: 'default/web  ready',
  devicetwin: 'to the cloud: {"temperature":{"actual":{"value":"21"',
  edged: 'nothing is left of it',
  edgehub: 'the event has arrived, the cut did not matter',
  edgemesh: 'asked for db.default.svc.cluster.local: 10.0.0.7',
  edgestream: 'cloud: it gets last line of the log',
  envcheck: 'a machine with one: kubelet (pid 7) is running',
  eventbus: 'client: gets shop/orders 2 cups',
  kubeapi: 'configmaps/paint: 409 cannot write configmaps "paint"',
  mapper: 'to EdgeCore: temperature 24',
  metamanager: 'edged asks for default/configmap/paint, metamanager answers: ["{',
  metaserver: '(warning: 299 - "from the node\'s own store',
  minicloud: 'pod default/web is for node edge-1',
  protocol: 'belongs to the question: true',
  servicebus: 'the service said: it is 21 °C, by GET /temperature',
  store: 'opened again with 0 rows, the old file is kept as "edgecore.db.corrupt-',
  taskmanager: 'to the installation: prepare [{"version":"v1.23.2"}], then upgrade v1.23.2',
  testing: 'the module gets {"colour":"blue"}',
  testmanager: 'to metamanager: insert default/pod/web',
  tunnel: 'cloud: from exec: you said hello',
  upgrade: '1.1.0 is damaged, edgecore --version: this is version 1.0.0',
};

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

async function run(program: string): Promise<Outcome> {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, VITEST: undefined, NODE_OPTIONS: undefined } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const limit = setTimeout(() => child.kill('SIGKILL'), 120_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(limit);
  return { code, output };
}

describe('a package alone', () => {
  const names = Object.keys(SCENES);
  const outcomes = new Map<string, Outcome>();

  beforeAll(async () => {
    const programs = await bundleExamples(names);
    const waiting = names.map((name, at) => ({ name, program: programs[at] ?? '' }));
    // A few at a time: most of them wait for something most of the time.
    await Promise.all([1, 2, 3].map(async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) outcomes.set(next.name, await run(next.program));
    }));
  });

  it.each(names)('[alone-1.1] %s: its example shows what it does and ends by itself', (name) => {
    const { code, output } = outcomes.get(name) as Outcome;
    expect(output).toContain(SCENES[name]);
    expect(code, output).toBe(0);
  });

  it('[alone-1.2] every package has an example', () => {
    expect(readdirSync(packages).filter((name) => existsSync(join(packages, name, 'package.json'))).sort()).toEqual([...names].sort());
  });
});
