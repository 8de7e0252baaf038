import { errorText } from '@edge/core';
import { createResponse, Groups, isFields, type Message, Operations, Sources, type Status } from '@edge/protocol';
import { readObject } from '../edge-controller/content.js';
import { statusOf } from '../edge-controller/messages.js';
import { minicloudError, MinicloudErrors } from '../errors.js';

/**
 * One request of a node to the API, and later its answer, as it crosses the link (KubeEdge `pkg/metaserver`, Application);
 * names and order of the members are upstream's. Base64 members hold JSON.
 */
export interface Application {
  readonly ID: string;
  /** `/GROUP-or-core/VERSION/RESOURCE/NAMESPACE-or-null/NAME-or-null`, or the path of a document. */
  readonly Key: string;
  /** get, list, watch, create, update, updatestatus, patch, delete. */
  readonly Verb: string;
  readonly Nodename: string;
  readonly Option: string | null;
  readonly ReqBody: string | null;
  readonly Subresource: string;
  readonly RespBody: string | null;
  readonly Status: string;
  /** Why, in words, when there is no Status of the API. */
  readonly Reason: string;
  readonly Error: { readonly ErrStatus: Status | { readonly metadata: object } };
  readonly Timestamp: string;
}

/**
 * Reads an application.
 * @param node who sent it; an application speaks for no other node, whatever it says
 * @throws EdgeError `minicloud.bad-content`
 */
export function readApplication(content: unknown, node: string): Application {
  const given = readObject(content);
  const text = (name: string): string => (typeof given[name] === 'string' ? given[name] : '');
  const bytes = (name: string): string | null => (typeof given[name] === 'string' ? given[name] : null);
  return {
    ID: text('ID'), Key: text('Key'), Verb: text('Verb'), Nodename: node, Option: bytes('Option'), ReqBody: bytes('ReqBody'), Subresource: text('Subresource'),
    RespBody: bytes('RespBody'), Status: text('Status'), Reason: text('Reason'), Error: { ErrStatus: { metadata: {} } }, Timestamp: text('Timestamp'),
  };
}

/** The value in one of the base64 members; undefined when there is none. @throws EdgeError `minicloud.bad-content` */
export function valueOf(application: Application, member: 'Option' | 'ReqBody'): unknown {
  const encoded = application[member];
  if (encoded === null || encoded === '') return undefined;
  try {
    return JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) ?? undefined;
  } catch (error) {
    throw minicloudError(MinicloudErrors.badContent, `failed to parse ${member} bytes, ${errorText(error)}`, error);
  }
}

/** The options of an application; none is as good as empty ones. @throws EdgeError `minicloud.bad-content` */
export function optionsOf(application: Application): Readonly<Record<string, unknown>> {
  const options = valueOf(application, 'Option');
  if (options === undefined) return {};
  if (!isFields(options)) throw minicloudError(MinicloudErrors.badContent, 'failed to parse Option bytes, they hold no object');
  return options;
}

/** @param body JSON of the answer; undefined when there is none */
export function approved(application: Application, body: string | undefined): Application {
  return { ...application, Status: 'Approved', RespBody: body === undefined ? null : Buffer.from(body, 'utf8').toString('base64') };
}

/** With the API's Status when the API refused, else with words alone. */
export function rejected(application: Application, error: unknown): Application {
  const refused = { ...application, Status: 'Rejected', RespBody: null };
  const isOfTheApi = typeof error === 'object' && error !== null && 'toStatus' in error;
  return isOfTheApi ? { ...refused, Error: { ErrStatus: statusOf(error) } } : { ...refused, Reason: error instanceof Error ? error.message : String(error) };
}

/** The answer to an application. Not acknowledged. */
export function applicationReply(request: Message, application: Application): Message {
  return dynamicReply(request, 'ignore/Application/ignore', application);
}

/** The answer to `watchapp/sync`: the watches that could not be begun, by id. */
export function syncReply(request: Message, failed: Readonly<Record<string, Application>>): Message {
  return dynamicReply(request, request.route.resource, failed);
}

function dynamicReply(request: Message, resource: string, content: unknown): Message {
  return createResponse(request, content, { source: Sources.dynamicController, group: Groups.resource, operation: Operations.applicationResponse, resource });
}
