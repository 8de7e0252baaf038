import { isFields, type Fields } from '@edge/protocol';
import { deviceTwinError } from '../errors.js';
import type { AttributeRequest } from '../plan/plan-attributes.js';
import { booleanIn, memberOf, objectIn, parseJson, textIn } from './go-json.js';
import { readBase, readTwins, type TwinRequests } from './requests.js';

/** A device in a message of the cloud. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly state: string;
  readonly attributes: ReadonlyMap<string, AttributeRequest> | undefined;
  readonly twins: TwinRequests | undefined;
}

/** A device that could not be read, and why. */
export interface BrokenMember {
  readonly broken: string;
}

export interface MembershipMessage {
  readonly added: readonly (Member | BrokenMember)[];
  readonly removed: readonly (Member | BrokenMember)[];
}

/** `NAMESPACE/NAME`, or `NAME` from older clouds; it becomes levels of a topic. */
const ID = /^[^/+#\0]+(\/[^/+#\0]+)?$/;
const LONGEST_ID = 512;

/**
 * Reads devices added and removed. A device that is not right spoils no other.
 * @throws EdgeError `devicetwin.malformed`
 */
export function readMembershipUpdate(content: unknown): MembershipMessage {
  const fields = contentFields(content, 'membership');
  return { added: members(fields, 'added_devices'), removed: members(fields, 'removed_devices') };
}

/**
 * Reads the full list of devices.
 * @throws EdgeError `devicetwin.malformed`
 */
export function readMembershipDetail(content: unknown): readonly (Member | BrokenMember)[] {
  return members(contentFields(content, 'membership/detail'), 'devices');
}

/**
 * Reads twins as the cloud has them.
 * @throws EdgeError `devicetwin.malformed`
 */
export function readCloudTwins(content: unknown): { readonly eventId: string; readonly twins: TwinRequests } {
  const fields = contentFields(content, 'twin/cloud_updated');
  try {
    const twin = objectIn(memberOf(fields, 'twin'), 'twin');
    if (twin === undefined) throw new Error('twin is missing');
    return { eventId: readBase(fields).eventId, twins: readTwins(twin) };
  } catch (error) {
    throw deviceTwinError('devicetwin.malformed', 'a twin/cloud_updated of the cloud cannot be read', error);
  }
}

function contentFields(content: unknown, what: string): Fields {
  const value = typeof content === 'string' ? parsed(content, what) : content;
  if (isFields(value)) return value;
  throw deviceTwinError('devicetwin.malformed', `the content of ${what} is ${value === null ? 'null' : `of type ${typeof value}`}, it must be an object`);
}

function parsed(text: string, what: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw deviceTwinError('devicetwin.malformed', `the content of ${what} cannot be read`, error);
  }
}

function members(fields: Fields, name: string): (Member | BrokenMember)[] {
  const list = memberOf(fields, name) ?? [];
  if (!Array.isArray(list)) throw deviceTwinError('devicetwin.malformed', `${name} is of type ${typeof list}, it must be a list`);
  return list.map((item, index) => {
    try {
      return readMember(objectIn(item, `${name}[${index}]`) ?? {});
    } catch (error) {
      return { broken: `${name}[${index}]: ${error instanceof Error ? error.message : String(error)}` };
    }
  });
}

function readMember(fields: Fields): Member {
  const id = textIn(fields, 'id') ?? '';
  if (!ID.test(id) || id.length > LONGEST_ID) throw new Error(`id is ${JSON.stringify(id.slice(0, 80))}, it must be NAMESPACE/NAME or NAME, without + and #`);
  const attributes = objectIn(memberOf(fields, 'attributes'), 'attributes');
  const twin = objectIn(memberOf(fields, 'twin'), 'twin');
  return {
    id,
    name: textIn(fields, 'name') || id.slice(id.indexOf('/') + 1),
    description: textIn(fields, 'description') ?? '',
    state: textIn(fields, 'state') ?? '',
    attributes: attributes && readAttributes(attributes),
    twins: twin && readTwins(twin),
  };
}

function readAttributes(fields: Fields): Map<string, AttributeRequest> {
  const attributes = new Map<string, AttributeRequest>();
  for (const key of Object.keys(fields)) {
    const attribute = objectIn(fields[key], `attribute ${key}`);
    if (attribute === undefined) continue;
    const metadata = objectIn(memberOf(attribute, 'metadata'), `metadata of attribute ${key}`);
    attributes.set(key, {
      value: textIn(attribute, 'value', `value of attribute ${key}`) ?? '',
      optional: booleanIn(attribute, 'optional', `optional of attribute ${key}`),
      type: metadata && (textIn(metadata, 'type', `type of attribute ${key}`) ?? ''),
    });
  }
  return attributes;
}
