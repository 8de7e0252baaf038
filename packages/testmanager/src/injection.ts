import { createMessage, formatResource, Groups, isFields, Modules, Operations, ResourceTypes, Sources, type Message } from '@edge/protocol';
import { testManagerError } from './errors.js';

/** A message as the cloud would send it, and the module it is for. */
export interface Injection {
  readonly to: string;
  readonly message: Message;
}

/** What becomes of a request's method. */
const OPERATIONS: Readonly<Record<string, string>> = { POST: Operations.insert, PUT: Operations.update, DELETE: Operations.delete };

/** Namespace in the keys of what comes by `/secret` and `/configmap`. */
const FAKE_NAMESPACE = 'fakeNamespace';

type Make = (content: Readonly<Record<string, unknown>>, operation: string) => Injection;

/** Source: KubeEdge v1.23. Secrets and config maps come from the edge controller here, whose messages metamanager stores in any case. */
const PATHS: Readonly<Record<string, Make>> = {
  '/pods': (content, operation) => {
    const { namespace, name } = metadataOf(content);
    return object(formatResource({ namespace: namespace || 'default', type: ResourceTypes.pod, name: required(name, 'metadata.name') }), content, operation);
  },
  '/secret': (content, operation) => object(formatResource({ namespace: FAKE_NAMESPACE, type: ResourceTypes.secret, name: required(metadataOf(content).uid, 'metadata.uid') }), content, operation),
  '/configmap': (content, operation) => object(formatResource({ namespace: FAKE_NAMESPACE, type: ResourceTypes.configMap, name: required(metadataOf(content).uid, 'metadata.uid') }), content, operation),
  '/devices': (content, operation) => ({
    to: Modules.deviceTwin,
    message: createMessage({ source: 'edgemgr', group: Sources.edgeHub, operation, resource: ResourceTypes.membership, content }),
  }),
};

/** True for a path that takes something. */
export function takes(path: string): boolean {
  return Object.hasOwn(PATHS, path);
}

/** True for a method that means something to such a path. */
export function injects(method: string): boolean {
  return Object.hasOwn(OPERATIONS, method);
}

/**
 * What a request stands for.
 * @throws EdgeError `testmanager.bad-request`
 */
export function injectionOf(method: string, path: string, body: string): Injection {
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch (cause) {
    throw testManagerError('testmanager.bad-request', 'unmarshal request body error: it is no JSON', cause);
  }
  if (!isFields(content)) throw testManagerError('testmanager.bad-request', 'unmarshal request body error: it must be an object');
  return (PATHS[path] as Make)(content, OPERATIONS[method] as string);
}

function object(resource: string, content: Readonly<Record<string, unknown>>, operation: string): Injection {
  return { to: Modules.metaManager, message: createMessage({ source: Sources.edgeController, group: Groups.resource, operation, resource, content }) };
}

function metadataOf(content: Readonly<Record<string, unknown>>): { namespace: string; name: string; uid: string } {
  const metadata = isFields(content['metadata']) ? content['metadata'] : {};
  const text = (key: string): string => (typeof metadata[key] === 'string' ? metadata[key] : '');
  return { namespace: text('namespace'), name: text('name'), uid: text('uid') };
}

function required(value: string, field: string): string {
  if (value === '' || value.includes('/')) throw testManagerError('testmanager.bad-request', `${field} is ${JSON.stringify(value)}, it must be a name`);
  return value;
}
