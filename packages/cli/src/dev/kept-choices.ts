import { isFields } from '@edge/protocol';
import { parse } from 'yaml';

/** What the agent's configuration has decided; undefined where it is silent. */
export interface KeptChoices {
  readonly node: string | undefined;
  readonly runtime: string | undefined;
  readonly mqttMode: string | undefined;
  /** Whether there is a tunnel for logs and commands. */
  readonly edgeStream: string | undefined;
  /** Whether the node's own API is on. */
  readonly nodeApi: string | undefined;
  /** Whether rules reach services on the node. */
  readonly serviceBus: string | undefined;
  /** Whether the node does the cloud's jobs. */
  readonly taskManager: string | undefined;
}

/** Reads the text of `edgecore.yaml`, which a later start of `edgecore dev` keeps: it does not rename the node. */
export function keptChoices(text: string): KeptChoices {
  const config: unknown = parse(text);
  return {
    node: textAt(config, 'modules', 'edged', 'hostnameOverride'),
    runtime: textAt(config, 'edge', 'runtime'),
    mqttMode: textAt(config, 'modules', 'eventBus', 'mqttMode'),
    edgeStream: textAt(config, 'modules', 'edgeStream', 'enable'),
    nodeApi: textAt(config, 'modules', 'metaManager', 'metaServer', 'enable'),
    serviceBus: textAt(config, 'modules', 'serviceBus', 'enable'),
    taskManager: textAt(config, 'modules', 'taskManager', 'enable'),
  };
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>((at, key) => (isFields(at) ? at[key] : undefined), value);
  return found === undefined || found === null || found === '' ? undefined : String(found);
}
