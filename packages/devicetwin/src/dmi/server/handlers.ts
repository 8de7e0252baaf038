import { status } from '@grpc/grpc-js';
import type {
  MapperInfo,
  MapperRegisterRequest,
  MapperRegisterResponse,
  ReportDeviceStatesRequest,
  ReportDeviceStatusRequest,
  Twin,
} from '@edge/protocol/dmi';
import type { DeviceReports, ReportedProperty, ReportOutcome } from '../../reports.js';
import { checkedMapper } from '../registration.js';
import type { Limiter } from './limits.js';
import { RpcError } from './rpc-error.js';

/** Takes registrations. */
export interface Registrar {
  /**
   * @param mapper as `checkedMapper` gives it
   * @throws RpcError, EdgeError when the registration is refused or could not be stored
   */
  register(mapper: MapperInfo, withData: boolean): Promise<MapperRegisterResponse>;
  /** Name of the mapper that serves a device, for its limit; undefined when there is none. */
  mapperOf(deviceId: string): string | undefined;
}

export interface HandlersDeps {
  readonly registrar: Registrar;
  readonly reports: DeviceReports;
  readonly limiter: Limiter;
}

/**
 * The calls of `DeviceManagerService`. What upstream refuses is refused with its code (2, `UNKNOWN`) and words; what it
 * acknowledges and then refuses over MQTT fails with a code that says whether repeating helps.
 */
export class ManagerHandlers {
  readonly #registrar: Registrar;
  readonly #reports: DeviceReports;
  readonly #limiter: Limiter;

  constructor(deps: HandlersDeps) {
    this.#registrar = deps.registrar;
    this.#reports = deps.reports;
    this.#limiter = deps.limiter;
  }

  async mapperRegister(request: MapperRegisterRequest): Promise<MapperRegisterResponse> {
    // Looked at first: what is no name of a mapper is nobody whose calls could be counted.
    const mapper = checkedMapper(request.mapper);
    using _place = this.#enter(`mapper ${mapper.name}`, `fail to register mapper because of too many request: ${mapper.name}`);
    return await this.#registrar.register(mapper, request.withData);
  }

  async reportDeviceStatus(request: ReportDeviceStatusRequest): Promise<Record<string, never>> {
    const { deviceName } = request;
    const id = deviceId(request);
    using _place = this.#enter(this.#caller(id), `fail to report device status because of too many request: ${deviceName}`);
    const twins = request.reportedDevice?.twins ?? [];
    if (twins.length === 0) throw new RpcError(status.UNKNOWN, 'ReportDeviceStatusRequest does not have twin data');
    if (deviceName === '') throw new RpcError(status.UNKNOWN, 'ReportDeviceStatusRequest does not have a device name');
    const outcome = await this.#report(id, reportedProperties(twins));
    if (outcome.kind === 'refused') throw refusal(outcome);
    return {};
  }

  async reportDeviceStates(request: ReportDeviceStatesRequest): Promise<Record<string, never>> {
    const { deviceName, state } = request;
    const id = deviceId(request);
    using _place = this.#enter(this.#caller(id), `fail to report device states because of too many request: ${deviceName}`);
    if (deviceName === '' || state === '') throw new RpcError(status.UNKNOWN, 'ReportDeviceStatesRequest is invalid data');
    const outcome = await this.#reports.reportState(id, state);
    if (outcome.kind === 'refused') throw refusal(outcome);
    return {};
  }

  /** All properties in one update. When one of them is bad, each on its own, so that the others are not lost with it. */
  async #report(id: string, properties: Readonly<Record<string, ReportedProperty>>): Promise<ReportOutcome> {
    const whole = await this.#reports.reportTwin(id, properties);
    const names = Object.keys(properties);
    if (whole.kind === 'done' || whole.code !== 400 || names.length === 1) return whole;
    let first: ReportOutcome = { kind: 'done' };
    for (const name of names) {
      const outcome = await this.#reports.reportTwin(id, Object.fromEntries([[name, properties[name] as ReportedProperty]]));
      if (outcome.kind === 'refused' && first.kind === 'done') first = { ...outcome, reason: `${name}: ${outcome.reason}` };
    }
    return first;
  }

  #enter(caller: string, refusal: string): Disposable {
    const place = this.#limiter.enter(caller);
    if (!place) throw new RpcError(status.UNKNOWN, refusal);
    return place;
  }

  #caller(id: string): string {
    const mapper = this.#registrar.mapperOf(id);
    return mapper === undefined ? 'devices of no mapper' : `mapper ${mapper}`;
  }
}

/** Mappers from the time before namespaces name none. */
function deviceId({ deviceNamespace, deviceName }: { readonly deviceNamespace: string; readonly deviceName: string }): string {
  return `${deviceNamespace || 'default'}/${deviceName}`;
}

/** What is reported of each property; of a property that is named twice the last counts. The mapper's metadata does not, as upstream. */
function reportedProperties(twins: readonly Twin[]): Record<string, ReportedProperty> {
  return Object.fromEntries(
    twins.map(({ propertyName, observedDesired, reported }) => {
      if (!observedDesired && !reported) throw new RpcError(status.INVALID_ARGUMENT, `twin "${propertyName}" has neither observedDesired nor reported`);
      return [
        propertyName,
        {
          ...(observedDesired ? { expected: { value: observedDesired.value } } : {}),
          ...(reported ? { actual: { value: reported.value } } : {}),
        },
      ];
    }),
  );
}

const CODES: Readonly<Record<number, status>> = { 400: status.INVALID_ARGUMENT, 404: status.NOT_FOUND };

/** Anything but a fault of the report itself may pass: the mapper may try again. */
function refusal(outcome: { readonly code: number; readonly reason: string }): RpcError {
  return new RpcError(CODES[outcome.code] ?? status.UNAVAILABLE, outcome.reason);
}
