import { defineModule, fromPackage, Logger, provide, route, token, type ModuleDefinition } from '@edge/core';
import { defineKind, Groups, Modules } from '@edge/protocol';
import manifest from './package.json' with { type: 'json' };
import { parseConfig, RecorderConfig } from './config.js';
import { TwinRecorder } from './twin-recorder.js';

const Entry = token<TwinRecorder>('twin-recorder', 'TwinRecorder');

/** A kind without conditions: every message. */
const anything = defineKind('anything', {});

/** The module as a value: the agent loads this package and finds it here. */
export const twinRecorder: ModuleDefinition<TwinRecorder, RecorderConfig> = defineModule({
  ...fromPackage(manifest),
  // The role that it plays, and the addresses at which the others expect who plays it.
  name: 'devicetwin',
  wire: { module: Modules.deviceTwin, group: Groups.twin },
  config: { path: 'modules.deviceTwin', token: RecorderConfig, parse: parseConfig },
  routes: [route(anything, 'all', (recorder: TwinRecorder, _body, message) => recorder.record(message))],
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, TwinRecorder, { config: RecorderConfig, log: Logger }),
});
