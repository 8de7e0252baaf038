import { configReference, defaultConfig } from '@edge/config';
import { devicetwin } from '@edge/devicetwin';
import { edged } from '@edge/edged';
import { eventbus } from '@edge/eventbus';
import { describe, expect, it } from 'vitest';

/** Read by the program itself, which hands them to the modules in other forms. */
const OF_THE_PROGRAM = ['hostnameOverride', 'nodeIP', 'customInterfaceName', 'tailoredKubeletConfig.oomScoreAdj'].map((key) => `modules.edged.${key}`);

/** What was looked at below an object, as paths. */
function watched(from: object, path: string, seen: Set<string>): object {
  return new Proxy(from, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof key === 'symbol') return value;
      seen.add(`${path}.${key}`);
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? watched(value, `${path}.${key}`, seen) : value;
    },
  });
}

describe('settings of pods', () => {
  const config = defaultConfig({ hostname: 'edge-1', localIP: '192.0.2.2' });
  const keys = [...configReference().matchAll(/^\| `(modules\.edged\.[^`]+)`/gm)].map(([, path = '']) => path);

  it('[edged-36.5] each one has an effect or is named when it is set', () => {
    const seen = new Set<string>();
    edged.config?.parse(watched(structuredClone(config.modules.edged), 'modules.edged', seen), { ...config });
    expect(keys.length).toBeGreaterThan(100);
    expect(keys.filter((key) => !seen.has(key) && !OF_THE_PROGRAM.includes(key))).toEqual([]);
  });

  it('[edged-36.6] the default configuration has none without effect', () => {
    expect(edged.config?.parse(config.modules.edged, { ...config })).toMatchObject({ unsupported: [] });
  });
});

describe('settings of devices', () => {
  const config = defaultConfig({ hostname: 'edge-1', localIP: '192.0.2.2' });

  it.each([
    { module: eventbus, key: 'eventBus' as const, least: 12 },
    { module: devicetwin, key: 'deviceTwin' as const, least: 4 },
  ])('[cli-6.1] each one of $key has an effect, those of our own too', ({ module, key, least }) => {
    const keys = [...configReference().matchAll(/^\| `((?:modules|edge)\.[^`]+)`/gm)].map(([, path = '']) => path).filter((path) => path.startsWith(`modules.${key}.`) || path.startsWith(`edge.${key}.`));
    const seen = new Set<string>();
    // Everything is on, so that everything is read.
    const whole = structuredClone({ ...config, modules: { ...config.modules, eventBus: { ...config.modules.eventBus, mqttMode: 1, eventBusTLS: { ...config.modules.eventBus.eventBusTLS, enable: true } } } }) as unknown as Record<'modules' | 'edge', Record<string, object>>;
    module.config?.parse(watched(whole.modules[key] ?? {}, `modules.${key}`, seen), { ...whole, edge: watched(whole.edge, 'edge', seen) });
    expect(keys.length).toBeGreaterThanOrEqual(least);
    expect(keys.filter((path) => !seen.has(path))).toEqual([]);
  });
});
