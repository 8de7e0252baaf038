/** A counter of processor time and the memory in use, both at one moment. */
export interface Use {
  /** Core-seconds since the beginning. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Milliseconds since the epoch, by the node's clock. */
  readonly at: number;
}

export interface ContainerUse extends Use {
  /** Milliseconds since the epoch, by the node's clock. */
  readonly startedAt: number;
}

/** What a node says of itself and its containers at `/metrics/resource`. */
export interface Scrape {
  readonly node?: Use;
  /** By `namespace/pod`, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, ContainerUse>>;
}

interface Value {
  readonly value: number;
  readonly at: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+(-?\d+))?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const NODE_FAMILIES: readonly string[] = ['node_cpu_usage_seconds_total', 'node_memory_working_set_bytes'];
const FAMILIES: readonly string[] = ['container_cpu_usage_seconds_total', 'container_memory_working_set_bytes', 'container_start_time_seconds'];

/**
 * Reads the text format of Prometheus as far as processor and memory go; other families and lines that are none are passed over. A
 * container counts when all three of its values are there.
 * @param now time of values that say none
 */
export function parseScrape(text: string, now: number): Scrape {
  const node = new Map<string, Value>();
  const found = new Map<string, Map<string, Map<string, Value>>>();
  for (const line of text.split('\n')) {
    const [, family = '', labels = '', value = '', at] = LINE.exec(line) ?? [];
    const one = { value: Number(value), at: at === undefined ? now : Number(at) };
    if (!Number.isFinite(one.value)) continue;
    if (NODE_FAMILIES.includes(family)) node.set(family, one);
    if (!FAMILIES.includes(family)) continue;
    const { namespace = '', pod = '', container = '' } = Object.fromEntries([...labels.matchAll(LABEL)].map(([, name, content]) => [name, content])) as Record<string, string>;
    const containers = entry(found, `${namespace}/${pod}`, () => new Map<string, Map<string, Value>>());
    entry(containers, container, () => new Map<string, Value>()).set(family, one);
  }
  const [cpu, memory] = NODE_FAMILIES.map((family) => node.get(family));
  return { ...(cpu && memory ? { node: useOf(cpu, memory) } : {}), pods: new Map([...found].map(([key, containers]) => [key, complete(containers)])) };
}

function complete(containers: ReadonlyMap<string, ReadonlyMap<string, Value>>): Map<string, ContainerUse> {
  return new Map([...containers].flatMap(([name, values]): [string, ContainerUse][] => {
    const [cpu, memory, start] = FAMILIES.map((family) => values.get(family));
    return cpu && memory && start ? [[name, { ...useOf(cpu, memory), startedAt: start.value * 1000 }]] : [];
  }));
}

function useOf(cpu: Value, memory: Value): Use {
  return { cpuSeconds: cpu.value, memoryBytes: memory.value, at: cpu.at };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
