import { CloudLink, defineModule, fromPackage, Logger, MessageBus, NodeIdentity, provide, Store, token, type Bind, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { CONFIG_PATH, DeviceTwinConfig, parseDeviceTwinConfig } from './config.js';
import { Admission } from './devices/admission.js';
import { DeviceBook } from './devices/device-book.js';
import { Publisher } from './devices/publisher.js';
import { Turns } from './devices/turns.js';
import { DeviceTwin } from './devicetwin.js';
import { Dmi } from './dmi/dmi.js';
import type { DmiSettings } from './dmi/settings.js';
import { Clients } from './handlers/clients.js';
import { Membership } from './handlers/membership.js';
import { ObjectMembership } from './handlers/object-membership.js';
import { StoredDeviceObjects } from './objects/stored-device-objects.js';
import { Reports } from './reports.js';
import { routes } from './routes.js';
import { CloudSync } from './sync/cloud-sync.js';
import { Confirmations } from './sync/confirmations.js';

/** Requests that are planned and not yet on the disk and answered; the next ones wait on the lane. */
const PLACES = 1024;

const own = <T>(name: string) => token<T>('devicetwin', name);
const Entry = own<DeviceTwin>('DeviceTwin');
const Log = own<Logger>('Logger');
const Objects = own<StoredDeviceObjects>('StoredDeviceObjects');
const Mappers = own<Dmi>('Dmi');
const SocketPath = own<string>('SocketPath');
const MapperSettings = own<DmiSettings>('DmiSettings');
const Book = own<DeviceBook>('DeviceBook');
const Confirmed = own<Confirmations>('Confirmations');
const Order = own<Turns>('Turns');
const Places = own<Admission>('Admission');
const Results = own<Publisher>('Publisher');
const Sync = own<CloudSync>('CloudSync');
const ReportDesk = own<Reports>('Reports');
const ClientDesk = own<Clients>('Clients');
const Members = own<Membership>('Membership');
const ObjectMembers = own<ObjectMembership>('ObjectMembership');

function bindings(bind: Bind): void {
  bind(Log).toResolvedValue((log: Logger) => log.named('devicetwin'), [Logger]);
  bind(SocketPath).toResolvedValue((config: DeviceTwinConfig) => config.dmiSocket, [DeviceTwinConfig]);
  bind(MapperSettings).toResolvedValue((config: DeviceTwinConfig) => config.dmi, [DeviceTwinConfig]);
  bind(Order).toResolvedValue(() => new Turns(), []).inSingletonScope();
  bind(Places).toResolvedValue(() => new Admission(PLACES), []).inSingletonScope();
  provide(bind, Book, DeviceBook, { store: Store });
  provide(bind, Confirmed, Confirmations, { store: Store });
  provide(bind, Results, Publisher, { bus: MessageBus, log: Log });
  provide(bind, Sync, CloudSync, { book: Book, confirmations: Confirmed, store: Store, bus: MessageBus, link: CloudLink, log: Log });
  provide(bind, ReportDesk, Reports, { config: DeviceTwinConfig, book: Book, turns: Order, admission: Places, publisher: Results, sync: Sync });
  const desk = { book: Book, reports: ReportDesk, turns: Order, admission: Places, publisher: Results, identity: NodeIdentity, log: Log };
  provide(bind, ClientDesk, Clients, { ...desk, bus: MessageBus });
  provide(bind, Members, Membership, { ...desk, confirmations: Confirmed, sync: Sync });
  provide(bind, ObjectMembers, ObjectMembership, { objects: Objects, book: Book, membership: Members, sync: Sync, store: Store, link: CloudLink, log: Log });
  provide(bind, Objects, StoredDeviceObjects, { bus: MessageBus, log: Log });
  provide(bind, Mappers, Dmi, { socketPath: SocketPath, objects: Objects, reports: ReportDesk, bus: MessageBus, store: Store, log: Log, settings: MapperSettings });
  provide(bind, Entry, DeviceTwin, {
    book: Book,
    confirmations: Confirmed,
    admission: Places,
    clients: ClientDesk,
    membership: Members,
    objectMembership: ObjectMembers,
    objects: Objects,
    sync: Sync,
    dmi: Mappers,
  });
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
