import { defineModule, fromPackage, Logger, MessageBus, provide, Store, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { CONFIG_PATH, DeviceTwinConfig, parseDeviceTwinConfig } from './config.js';
import { DeviceTwin } from './devicetwin.js';
import { Dmi } from './dmi/dmi.js';
import { StoredDeviceObjects } from './objects/stored-device-objects.js';
import type { DeviceReports } from './reports.js';
import { routes } from './routes.js';

const own = <T>(name: string) => token<T>('devicetwin', name);
const Entry = own<DeviceTwin>('DeviceTwin');
const Log = own<Logger>('Logger');
const Objects = own<StoredDeviceObjects>('StoredDeviceObjects');
const Reports = own<DeviceReports>('DeviceReports');
const Mappers = own<Dmi>('Dmi');
const SocketPath = own<string>('SocketPath');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('devicetwin'), [Logger]);
  bind(SocketPath).toResolvedValue((config: DeviceTwinConfig) => config.dmiSocket, [DeviceTwinConfig]);
  bind(Reports).toConstantValue({ reportTwin: () => Promise.resolve({ kind: 'done' }), reportState: () => Promise.resolve({ kind: 'done' }) });
  provide(bind, Objects, StoredDeviceObjects, { bus: MessageBus, log: Log });
  provide(bind, Mappers, Dmi, { socketPath: SocketPath, objects: Objects, reports: Reports, bus: MessageBus, store: Store, log: Log });
  provide(bind, Entry, DeviceTwin, { objects: Objects, dmi: Mappers });
}

/** The module as the agent registers it. */
export const devicetwin: ModuleDefinition<DeviceTwin, DeviceTwinConfig> = defineModule<DeviceTwin, DeviceTwinConfig>({
  ...fromPackage(manifest),
  name: 'devicetwin',
  wire: { module: Modules.deviceTwin, group: Groups.twin },
  config: { path: CONFIG_PATH, token: DeviceTwinConfig, parse: parseDeviceTwinConfig },
  // Devices are read from metamanager's store, results leave by the event bus.
  after: ['metamanager', 'eventbus'],
  routes,
  entry: Entry,
  bindings,
});
