import { createHash } from 'node:crypto';
import { decodeProtobuf, isApiError, isProtobuf, type ResourceRef } from '@edge/kubeapi';
import { CLUSTER_SCOPE, createMessage, Groups, isFields, Sources, type Message } from '@edge/protocol';

/** What a node may ask of the cloud's API. */
export type ApplicationVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'updatestatus' | 'patch' | 'delete';

/** One request to the cloud's API as it crosses the link; names and order of the members are upstream's. */
export interface Application {
  readonly ID: string;
  readonly Key: string;
  readonly Verb: ApplicationVerb;
  readonly Nodename: string;
  /** Base64 of JSON. */
  readonly Option: string | null;
  /** Base64 of the object's JSON. */
  readonly ReqBody: string | null;
  readonly Subresource: string;
  readonly RespBody: string | null;
  readonly Status: string;
  readonly Reason: string;
  readonly Error: { readonly ErrStatus: Readonly<Record<string, unknown>> };
  readonly Timestamp: string;
}

/** What makes an application. */
export interface ApplicationRequest {
  /** Of a resource by `applicationKey`, or the path of a document. */
  readonly key: string;
  readonly verb: ApplicationVerb;
  /** Options of the verb, as the API names them. */
  readonly option: unknown;
  readonly body?: unknown;
  readonly subresource?: string;
}

/** `/GROUP-or-core/VERSION/RESOURCE/NAMESPACE-or-null/NAME-or-null`. A Namespace is in no namespace. */
export function applicationKey({ group, version, resource, namespace, name }: ResourceRef): string {
  return `/${group === '' ? 'core' : group}/${version}/${resource}/${namespace ?? CLUSTER_SCOPE}/${name ?? CLUSTER_SCOPE}`;
}

export function newApplication(node: string, request: ApplicationRequest): Application {
  const { key, verb, subresource = '' } = request;
  const option = JSON.stringify(request.option);
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const id = createHash('sha256').update(node).update(key).update(verb).update(option).update(body ?? '').update(subresource).digest('hex');
  return {
    ID: id, Key: key, Verb: verb, Nodename: node,
    Option: base64(option), ReqBody: body === undefined ? null : base64(body), Subresource: subresource,
    RespBody: null, Status: 'InApplying', Reason: '', Error: { ErrStatus: { metadata: {} } }, Timestamp: '0001-01-01T00:00:00Z',
  };
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

export function applicationMessage(application: Application): Message {
  return createMessage({ source: Sources.metaServer, group: Groups.dynamicController, operation: 'null', resource: 'null', content: application });
}

/** Tells the cloud which watches the node has; it begins those it lacks and ends all others. */
export function watchSyncMessage(applications: readonly Application[]): Message {
  const content = Object.fromEntries(applications.map((application) => [application.ID, application]));
  return createMessage({ source: Sources.metaServer, group: Groups.dynamicController, operation: 'null', resource: 'watchapp/sync', content });
}

/** What the cloud made of an application. */
export type Verdict =
  | { readonly kind: 'approved'; /** Text of the answer; undefined when there is none. */ readonly body: string | undefined }
  | { readonly kind: 'rejected'; /** The API's Status; without a code when the cloud gave words alone. */ readonly status: Readonly<Record<string, unknown>>; readonly reason: string }
  /** Not an answer to an application. */
  | { readonly kind: 'unreadable'; readonly why: string };

export function verdictOf(content: unknown): Verdict {
  if (!isFields(content) || typeof content.Status !== 'string') return { kind: 'unreadable', why: `the answer is ${JSON.stringify(content)?.slice(0, 200) ?? 'empty'}` };
  if (content.Status === 'Approved') {
    const { RespBody } = content;
    if (typeof RespBody !== 'string' || RespBody === '') return { kind: 'approved', body: undefined };
    return bodyOf(Buffer.from(RespBody, 'base64'));
  }
  const error = isFields(content.Error) && isFields(content.Error.ErrStatus) ? content.Error.ErrStatus : {};
  const reason = typeof content.Reason === 'string' ? content.Reason : '';
  if (content.Status === 'Rejected' || content.Status === 'Failed') return { kind: 'rejected', status: error, reason };
  return { kind: 'unreadable', why: `its status is ${content.Status}` };
}

/** CloudCore passes discovery on as its API server sent it, and in its default configuration it asks that for Protobuf. */
function bodyOf(bytes: Buffer): Verdict {
  if (!isProtobuf(bytes)) return { kind: 'approved', body: bytes.toString('utf8') };
  try {
    return { kind: 'approved', body: JSON.stringify(decodeProtobuf(bytes)) };
  } catch (error) {
    if (!isApiError(error)) throw error;
    return { kind: 'unreadable', why: `its Protobuf body cannot be read: ${error.message}` };
  }
}
