import type { EdgeError } from '@edge/core';
import { isFields, type Device, type DeviceModel, type KubeObject } from '@edge/protocol';
import { deviceTwinError } from '../errors.js';

export type DeviceObjectKind = 'device' | 'model';

/** What is known of an object by its place. */
export interface ObjectPlace {
  readonly kind: DeviceObjectKind;
  readonly namespace: string;
  readonly name: string;
}

const KINDS: Readonly<Record<string, DeviceObjectKind>> = { device: 'device', devicemodel: 'model' };

/** The place that `NAMESPACE/device/NAME` or `NAMESPACE/devicemodel/NAME` names; undefined for anything else. */
export function placeOf(path: string): ObjectPlace | undefined {
  const [namespace, type = '', name, ...rest] = path.split('/');
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  return kind && namespace && name && rest.length === 0 ? { kind, namespace, name } : undefined;
}

/**
 * The object, found to have the shape that the rest of the module relies on; its namespace and name are its own, or the
 * place's where it has none.
 * @throws EdgeError `devicetwin.bad-object` naming the member and what is there
 */
export function readObject(place: ObjectPlace & { readonly kind: 'device' }, value: unknown): Device;
export function readObject(place: ObjectPlace & { readonly kind: 'model' }, value: unknown): DeviceModel;
export function readObject(place: ObjectPlace, value: unknown): Device | DeviceModel;
export function readObject(place: ObjectPlace, value: unknown): Device | DeviceModel {
  if (!isFields(value)) throw bad('the object', value, 'an object');
  const metadata = fields(value, 'metadata');
  const spec = fields(value, 'spec');
  optional(metadata, 'metadata', 'name', isText, 'text');
  optional(metadata, 'metadata', 'namespace', isText, 'text');
  if (place.kind === 'device') checkDevice(spec);
  else checkModel(spec);
  const object = value as unknown as KubeObject & { spec: Record<string, unknown> };
  return { ...object, spec, metadata: { ...object.metadata, namespace: object.metadata.namespace || place.namespace, name: object.metadata.name || place.name } } as Device | DeviceModel;
}

function checkDevice(spec: Record<string, unknown>): void {
  within(spec, 'spec', 'deviceModelRef', (reference, where) => optional(reference, where, 'name', isText, 'text'));
  within(spec, 'spec', 'stateReport', (report, where) => {
    optional(report, where, 'reportToCloud', isFlag, 'true or false');
    optional(report, where, 'reportCycle', isWhole, 'a whole number');
  });
  checkProtocol(spec, 'spec', 'protocol');
  eachOf(spec, 'spec', 'methods', (method, where) => {
    optional(method, where, 'name', isText, 'text');
    optional(method, where, 'description', isText, 'text');
    optional(method, where, 'propertyNames', isTexts, 'a list of texts');
  });
  eachOf(spec, 'spec', 'properties', (property, where) => {
    required(property, where, 'name', isText, 'text');
    within(property, where, 'desired', (desired, here) => {
      optional(desired, here, 'value', isText, 'text');
      optional(desired, here, 'metadata', isFields, 'an object');
    });
    optional(property, where, 'reportCycle', isWhole, 'a whole number');
    optional(property, where, 'collectCycle', isWhole, 'a whole number');
    optional(property, where, 'reportToCloud', isFlag, 'true or false');
    checkProtocol(property, where, 'visitors');
  });
}

function checkModel(spec: Record<string, unknown>): void {
  optional(spec, 'spec', 'protocol', isText, 'text');
  eachOf(spec, 'spec', 'properties', (property, where) => {
    required(property, where, 'name', isText, 'text');
    for (const name of ['description', 'type', 'accessMode', 'minimum', 'maximum', 'unit']) optional(property, where, name, isText, 'text');
    checkProtocol(property, where, 'visitors');
  });
}

function checkProtocol(parent: Record<string, unknown>, where: string, member: string): void {
  within(parent, where, member, (protocol, here) => {
    optional(protocol, here, 'protocolName', isText, 'text');
    optional(protocol, here, 'configData', isFields, 'an object');
  });
}

function within(parent: Record<string, unknown>, where: string, member: string, check: (fields: Record<string, unknown>, where: string) => void): void {
  optional(parent, where, member, isFields, 'an object');
  const value = parent[member];
  if (isFields(value)) check(value, `${where}.${member}`);
}

function eachOf(parent: Record<string, unknown>, where: string, member: string, check: (item: Record<string, unknown>, where: string) => void): void {
  optional(parent, where, member, Array.isArray, 'a list');
  const items = parent[member];
  if (!Array.isArray(items)) return;
  items.forEach((item: unknown, i) => {
    const here = `${where}.${member}[${i}]`;
    if (!isFields(item)) throw bad(here, item, 'an object');
    check(item, here);
  });
}

function fields(parent: Record<string, unknown>, member: string): Record<string, unknown> {
  const value = parent[member];
  if (!isFields(value)) throw bad(member, value, 'an object');
  return value;
}

function required(parent: Record<string, unknown>, where: string, member: string, fits: (value: unknown) => boolean, right: string): void {
  if (!fits(parent[member])) throw bad(`${where}.${member}`, parent[member], right);
}

/** `null` is how Go writes what is not there. */
function optional(parent: Record<string, unknown>, where: string, member: string, fits: (value: unknown) => boolean, right: string): void {
  const value = parent[member];
  if (value !== undefined && value !== null && !fits(value)) throw bad(`${where}.${member}`, value, right);
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value);

function bad(what: string, value: unknown, right: string): EdgeError {
  return deviceTwinError('devicetwin.bad-object', `${what} is ${(JSON.stringify(value) ?? 'missing').slice(0, 100)}, it must be ${right}`);
}
