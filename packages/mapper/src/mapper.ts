import { DeviceWorker, type DeviceHealth } from './device/device-worker.js';
import { Devices } from './device/devices.js';
import type { Outlet } from './device/property-work.js';
import type { Driver } from './driver.js';
import { codeOf, errorText, MapperErrors } from './errors.js';
import { EdgeCoreClient } from './grpc/edge-core-client.js';
import { mapperService } from './grpc/mapper-service.js';
import { SocketServer } from './grpc/socket-server.js';
import { settle, type MapperOptions, type Settled } from './options.js';
import { Pushes } from './push/pushes.js';
import { Registration } from './registration.js';
import { Reports } from './report/reports.js';
import { RestServer } from './rest/rest-server.js';
import { routes } from './rest/routes.js';

/** How a mapper is, for health checks. */
export interface MapperHealth {
  readonly name: string;
  /** EdgeCore is there and knows the mapper. */
  readonly registered: boolean;
  /** Values and states that EdgeCore has not taken yet; at most one per property and device. */
  readonly waitingReports: number;
  readonly devices: readonly DeviceHealth[];
}

/** A mapper at work. */
export interface Mapper extends AsyncDisposable {
  /** Port of the HTTP server; undefined when it is off. */
  readonly httpPort: number | undefined;
  /** Its own socket, absolute. */
  readonly socketPath: string;
  health(): MapperHealth;
  /** Stops drivers, servers and connections, side by side where they can. Resolves when nothing is left. */
  stop(): Promise<void>;
}

/** What EdgeCore is given to end a call. */
const GRACE_MS = 1000;
/** Limit of a call to EdgeCore. */
const EDGECORE_MS = 5000;

/**
 * Starts a mapper: it serves at its socket first, then registers with EdgeCore, again and again until EdgeCore is there,
 * and keeps devices, drivers and reports going until `stop`. EdgeCore need not be there yet.
 * @throws MapperError `mapper.bad-options`, `mapper.socket-in-use`, `mapper.bad-socket`, `mapper.port-in-use`
 */
export async function startMapper<Connection>(driver: Driver<Connection>, options: MapperOptions): Promise<Mapper> {
  const settled = settle(options);
  const { log, timing, socketPath } = settled;
  const pause = { firstMs: timing.pauseMs, limitMs: timing.longestPauseMs };
  const client = new EdgeCoreClient({ socket: settled.edgeCoreSocket, timeoutMs: EDGECORE_MS });
  const reports = new Reports({ target: client, log, pause });
  const pushes = new Pushes({ secrets: settled.env, log, pause });
  const outlet: Outlet = {
    status: (device, twin) => reports.status(device, twin),
    state: (device, state) => reports.state(device, state),
    push: (device, property, sample) => pushes.push(device, property, sample),
  };
  const devices = new Devices({
    makeWorker: (device) => new DeviceWorker({ driver, device, outlet, report: settled.report, log, timing }),
    changed: (device) => pushes.update(device),
    removed: (id) => {
      reports.forget(id);
      pushes.forget(id);
    },
    defaults: timing,
    log,
  });
  const registration = new Registration({
    target: client,
    mapper: { name: settled.name, version: settled.version, apiVersion: settled.apiVersion, protocol: settled.protocol, address: Buffer.from(socketPath), state: 'ok' },
    events: {
      registered: (answer, anew) => {
        const again = devices.reconcile(answer);
        if (anew) devices.reportAgain();
        reports.resume();
        return again;
      },
      lost: () => reports.hold(),
    },
    log,
    timing,
  });
  const health = (): MapperHealth => ({ name: settled.name, registered: registration.registered, waitingReports: reports.waiting, devices: devices.health() });

  const server = await SocketServer.open(socketPath, mapperService(devices));
  const rest = await openRest(settled, devices, health).catch(async (error: unknown) => {
    await server.stop(0);
    client[Symbol.dispose]();
    throw error;
  });
  const life = new AbortController();
  // Only now: EdgeCore may call as soon as it knows the mapper.
  const registering = registration.run(life.signal);

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    life.abort();
    await Promise.all([devices.stop(), server.stop(GRACE_MS), rest?.stop()]);
    reports.stop();
    await pushes.stop();
    client[Symbol.dispose]();
    await registering;
  };
  const stopOnce = (): Promise<void> => (stopped ??= stop());
  return { httpPort: rest?.port, socketPath, health, stop: stopOnce, [Symbol.asyncDispose]: stopOnce };
}

/** A port that was asked for has to be had; without the default one the mapper does without. */
async function openRest({ http, log }: Settled, devices: Devices, health: () => MapperHealth): Promise<RestServer | undefined> {
  if (!http) return undefined;
  try {
    return await RestServer.open(http, routes({ devices, health, writeByGet: http.writeByGet }));
  } catch (error) {
    if (http.given || codeOf(error) !== MapperErrors.portInUse) throw error;
    log.warn(`no HTTP server: ${errorText(error)}`);
    return undefined;
  }
}
