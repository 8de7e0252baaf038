import type { Devices } from '../device/devices.js';
import { MapperError, MapperErrors } from '../errors.js';
import type { MapperHealth } from '../mapper.js';

export interface RestAnswer {
  readonly status: number;
  readonly body: object;
}

/** A path, `:name` for a parameter, and what answers it. */
export interface RestRoute {
  readonly path: string;
  readonly methods: readonly string[];
  readonly writes: boolean;
  readonly answer: (parameters: readonly string[]) => RestAnswer | Promise<RestAnswer>;
}

interface Deps {
  readonly devices: Devices;
  readonly health: () => MapperHealth;
  readonly writeByGet: boolean;
}

const READ = ['GET', 'HEAD'];

/** The paths of mapper-framework's HTTP server, and two for health checks. */
export function routes({ devices, health, writeByGet }: Deps): RestRoute[] {
  const read = (path: string, answer: RestRoute['answer']): RestRoute => ({ path, methods: READ, writes: false, answer });
  return [
    read('/healthz', () => ok({ ...health() })),
    read('/readyz', () => ({ status: health().registered ? 200 : 503, body: health() })),
    read('/api/v1/ping', () => ok({ Message: 'This is v1 API, the server is running normally.' })),
    read('/api/v1/device/:namespace/:name/:property', ([namespace = '', name = '', property = '']) => readProperty(devices, namespace, name, property)),
    read('/api/v1/devicemethod/:namespace/:name', ([namespace = '', name = '']) => listMethods(devices, namespace, name)),
    {
      path: '/api/v1/devicemethod/:namespace/:name/:method/:property/:data',
      methods: writeByGet ? ['PUT', 'POST', 'GET'] : ['PUT', 'POST'],
      writes: true,
      answer: ([namespace = '', name = '', method = '', property = '', data = '']) => writeProperty(devices, namespace, name, method, property, data),
    },
    read('/api/v1/meta/model/:namespace/:name', ([namespace = '', name = '']) => showModel(devices, namespace, name)),
  ];
}

/** The route of a path and the values of its parameters. @throws MapperError `mapper.bad-options` when they are not well encoded */
export function findRoute(all: readonly RestRoute[], pathname: string): { readonly route: RestRoute; readonly parameters: readonly string[] } | undefined {
  const segments = pathname.split('/');
  const route = all.find(({ path }) => {
    const pattern = path.split('/');
    return pattern.length === segments.length && pattern.every((part, at) => part.startsWith(':') || part === segments[at]);
  });
  if (!route) return undefined;
  const parameters = segments.filter((_, at) => route.path.split('/')[at]?.startsWith(':')).map(decoded);
  return { route, parameters };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new MapperError(MapperErrors.badOptions, `"${segment}" is not well encoded`, { cause: error });
  }
}

async function readProperty(devices: Devices, namespace: string, name: string, property: string): Promise<RestAnswer> {
  const worker = devices.worker(namespace, name);
  const value = await worker.read(property);
  const type = worker.device.properties.find((candidate) => candidate.name === property)?.type.toLowerCase();
  return ok({ Data: { DeviceName: name, PropertyName: property, Namespace: namespace, Value: value, Type: type, TimeStamp: Date.now() } });
}

function listMethods(devices: Devices, namespace: string, name: string): RestAnswer {
  const { methods, properties } = devices.worker(namespace, name).device;
  const parameter = (property: string): object => ({ PropertyName: property, ValueType: properties.find((candidate) => candidate.name === property)?.type.toLowerCase() });
  const Methods = methods.map((method) => ({
    Name: method.name,
    Path: `/api/v1/devicemethod/${namespace}/${name}/${method.name}/{propertyName}/{data}`,
    Parameters: method.properties.map(parameter),
  }));
  return ok({ Data: { Methods } });
}

async function writeProperty(devices: Devices, namespace: string, name: string, method: string, property: string, data: string): Promise<RestAnswer> {
  const worker = devices.worker(namespace, name);
  const { methods, id } = worker.device;
  if (!methods.some((candidate) => candidate.name === method && candidate.properties.includes(property))) {
    throw new MapperError(MapperErrors.unknownMethod, `device ${id} has no method "${method}" for property "${property}"`);
  }
  await worker.write(property, data);
  return ok({ Message: `Write data ${data} to device ${id} successfully.` });
}

function showModel(devices: Devices, namespace: string, name: string): RestAnswer {
  const model = devices.model(namespace, name);
  const properties = (model.spec?.properties ?? []).map(({ name: property, type, description, accessMode, minimum, maximum, unit }) => ({ name: property, dataType: type.toLowerCase(), description, accessMode, minimum, maximum, unit }));
  return ok({ id: `${model.namespace}/${model.name}`, name: model.name, namespace: model.namespace, properties });
}

function ok(body: object): RestAnswer {
  return { status: 200, body };
}
