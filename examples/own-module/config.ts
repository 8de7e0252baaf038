import { EdgeError, token } from '@edge/core';
import { isFields } from '@edge/protocol';

/** The slice `modules.deviceTwin`, as this module understands it. */
export interface RecorderConfig {
  /** Whether it runs; the device twin's own switch in `edgecore.yaml`. Default true. */
  readonly enable: boolean;
  /** File that it writes to, a line of JSON for each message. From the role file's settings. */
  readonly file: string;
}

export const RecorderConfig = token<RecorderConfig>('twin-recorder', 'RecorderConfig');

/** @throws EdgeError `twin-recorder.config` naming the value and what would be right */
export function parseConfig(raw: unknown): RecorderConfig {
  const { enable = true, file = '/var/lib/kubeedge/twin-record.jsonl' } = isFields(raw) ? raw : {};
  if (typeof enable !== 'boolean') throw new EdgeError('twin-recorder.config', `enable is ${JSON.stringify(enable)}, it must be true or false`);
  if (typeof file !== 'string' || !file.startsWith('/')) throw new EdgeError('twin-recorder.config', `file is ${JSON.stringify(file)}, it must be an absolute path`);
  return { enable, file };
}
