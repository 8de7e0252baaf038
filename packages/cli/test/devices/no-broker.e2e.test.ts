import { freePort } from '@edge/testing';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from '../support/agent.js';
import { openScene, sleeper } from '../support/scene.js';

it('[devices-4.1] upstream\'s default, an external broker, while there is none: nothing waits for it, and the log says so once', { timeout: 180_000 }, async () => {
  // A port that was free is closed until somebody takes it.
  const port = await freePort();
  const external = (text: string): string => {
    const config = parse(text) as { modules: Record<string, object> };
    config.modules['eventBus'] = { mqttServerExternal: `tcp://127.0.0.1:${port}` };
    return stringify(config);
  };
  await using scene = await openScene({ edit: external });
  await scene.ready(0, 60_000);
  await scene.cloud.api.resource('v1', 'pods').create(sleeper('sleeper') as never);
  await eventually(() => scene.pod('sleeper')?.status?.phase === 'Running', 60_000, () => `the pod does not run; ${scene.agent.log.slice(-2000)}`);
  const about = (): string[] => scene.agent.log.split('\n').filter((line) => line.includes(`127.0.0.1:${port}`));
  expect(about().length, about().join('\n')).toBe(1);
  expect(about()[0]).toMatch(/^W.*broker/);
  expect(await scene.agent.stop()).toBe(0);
});
