import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTestCa } from '@edge/testing';
import { expect, it } from 'vitest';
import { bundle } from './bundle.js';
import { FakeCloud } from './fake-cloud.js';
import { scene } from './scene.js';

it('[edgehub-5.1] loses nothing that was on the disk when it is killed with -9 at random points', async () => {
  const ca = await createTestCa();
  const program = await bundle('test/programs/agent.ts');
  await using cloud = await FakeCloud.start(ca);
  await using place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  const keys = 5;
  let durable = 0;
  let running: ChildProcess | undefined;
  try {
    for (let kill = 0; kill < 12; kill += 1) {
      const orders = join(place.folder, 'orders.json');
      // What was not on the disk when the last one died is produced again.
      await writeFile(orders, JSON.stringify({ config: place.options.config, database: join(place.folder, 'edge.db'), from: durable + 1, to: 100_000, keys }));
      const child = spawn(process.execPath, [program, orders], { stdio: ['ignore', 'pipe', 'inherit'] });
      running = child;
      const lines = createInterface({ input: child.stdout });
      const started = new Promise<void>((resolve) => lines.once('line', () => resolve()));
      lines.on('line', (line) => (durable = Math.max(durable, Number(line.split(' ')[1]))));
      await started;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    const orders = join(place.folder, 'orders.json');
    await writeFile(orders, JSON.stringify({ config: place.options.config, database: join(place.folder, 'edge.db'), from: durable + 1, to: durable + 20, keys }));
    running = spawn(process.execPath, [program, orders], { stdio: 'inherit' });
    const total = durable + 20;
    const events = (): number[] => cloud.heard.filter(({ route }) => route.resource.startsWith('default/event/')).map(({ content }) => content as number);
    await cloud.until(() => new Set(events()).size >= total, `all ${total} events`, 60_000);
    for (let key = 0; key < keys; key += 1) {
      const firsts = [...new Set(events().filter((number) => number % keys === key))];
      expect(firsts).toEqual([...firsts].sort((one, other) => one - other));
    }
    const states = (): Map<string, string> => new Map(cloud.heard.filter(({ route }) => route.operation === 'patch').map(({ route, content }) => [route.resource, content as string]));
    await cloud.until(() => [...states().values()].every((value) => Number(value) > total - keys), 'the last states');
    expect([...states().values()].map(Number).sort((one, other) => one - other)).toEqual(Array.from({ length: keys }, (_, index) => total - keys + 1 + index));
  } finally {
    running?.kill('SIGKILL');
  }
}, 120_000);
