import { MapperError, MapperErrors, type Property, type Value } from '@edge/mapper';

/** Where and how a property lies in a device; the visitor's settings of upstream's Modbus mappers. */
export interface Place {
  readonly register: 'CoilRegister' | 'DiscreteInputRegister' | 'InputRegister' | 'HoldingRegister';
  readonly offset: number;
  /** How many registers or coils. */
  readonly limit: number;
  /** What a number in the device is multiplied with. */
  readonly scale: number;
  /** The two bytes of each register are exchanged. */
  readonly isSwap: boolean;
  /** The registers come last first. */
  readonly isRegisterSwap: boolean;
  readonly isSigned: boolean;
  readonly dataType: DataType;
}

const DATA_TYPES = ['int', 'float', 'double', 'boolean', 'string'] as const;
export type DataType = (typeof DATA_TYPES)[number];

/** @throws MapperError `mapper.bad-setting` naming property and setting */
export function placeOf({ name, settings, type }: Property): Place {
  const register = settings.choice('register', ['CoilRegister', 'DiscreteInputRegister', 'InputRegister', 'HoldingRegister']);
  const place = {
    register,
    offset: settings.integer('offset'),
    scale: settings.number('scale', 1),
    isSwap: settings.flag('isSwap', false),
    isRegisterSwap: settings.flag('isRegisterSwap', false),
    isSigned: settings.flag('isSigned', false),
    dataType: settings.choice('dataType', DATA_TYPES, isCoil(register) ? 'boolean' : usual(type)),
  };
  const least = LEAST[place.dataType];
  const limit = settings.integer('limit', least);
  if (limit < least || limit > 125) throw new MapperError(MapperErrors.badSetting, `property ${name}: configData.limit is ${limit}, expected ${least} to 125 registers for ${place.dataType}`);
  return { ...place, limit };
}

/** How many registers a value takes at least. */
const LEAST: Record<DataType, number> = { int: 1, boolean: 1, string: 1, float: 2, double: 4 };

export function isCoil(register: Place['register']): boolean {
  return register === 'CoilRegister' || register === 'DiscreteInputRegister';
}

/** The value that registers hold. A whole number is cut off after scaling, as upstream's mappers do. */
export function decode(registers: readonly number[], place: Place, type: Property['type']): Value {
  const bytes = swapped(Buffer.from(registers.flatMap((register) => [register >> 8, register & 255])), place);
  switch (place.dataType) {
    case 'boolean':
      return bytes.readUInt16BE() !== 0;
    case 'string':
      return bytes.toString('latin1').replace(/\0+$/, '');
    case 'float':
      return tidy(bytes.readFloatBE() * place.scale, type);
    case 'double':
      return tidy(bytes.readDoubleBE() * place.scale, type);
    case 'int': {
      const whole = place.isSigned ? BigInt.asIntN(bytes.length * 8, unsigned(bytes)) : unsigned(bytes);
      return place.scale === 1 ? whole : tidy(Number(whole) * place.scale, type);
    }
  }
}

/** The registers for a value: the other way round. @throws Error naming a value that they cannot hold */
export function encode(value: Value, place: Place): number[] {
  const bytes = Buffer.alloc(place.limit * 2);
  if (place.dataType === 'string') writeText(bytes, String(value), place);
  else if (place.dataType === 'float') bytes.writeFloatBE(Number(value) / place.scale);
  else if (place.dataType === 'double') bytes.writeDoubleBE(Number(value) / place.scale);
  else writeWhole(bytes, wholeOf(value, place), place);
  swapped(bytes, place);
  return Array.from({ length: place.limit }, (_, at) => bytes.readUInt16BE(at * 2));
}

/** One byte a character. */
function writeText(bytes: Buffer, text: string, { limit }: Place): void {
  const strange = [...text].find((character) => (character.codePointAt(0) ?? 0) > 0xff);
  if (strange !== undefined) throw new Error(`"${text}" has the character "${strange}", expected those of Latin-1`);
  if (text.length > bytes.length) throw new Error(`"${text}" does not fit into ${limit} register${limit === 1 ? '' : 's'}: ${text.length} characters, expected ${bytes.length} at most`);
  bytes.write(text, 'latin1');
}

function wholeOf(value: Value, { scale }: Place): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'bigint' && scale === 1 ? value : BigInt(Math.round(Number(value) / scale));
}

function writeWhole(bytes: Buffer, whole: bigint, { isSigned, limit }: Place): void {
  const bits = limit * 16;
  const fits = isSigned ? BigInt.asIntN(bits, whole) === whole : BigInt.asUintN(bits, whole) === whole;
  if (!fits) throw new Error(`${whole} does not fit into ${limit} register${limit === 1 ? '' : 's'} ${isSigned ? 'with' : 'without'} sign`);
  bytes.write(BigInt.asUintN(bits, whole).toString(16).padStart(limit * 4, '0'), 'hex');
}

function unsigned(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

/** In place: registers first, then the bytes of each. */
function swapped(bytes: Buffer, { isSwap, isRegisterSwap }: Place): Buffer {
  if (isRegisterSwap) {
    bytes.reverse();
    bytes.swap16();
  }
  if (isSwap) bytes.swap16();
  return bytes;
}

/** 215 × 0.1 is 21.5, not 21.500000000000004. */
function tidy(value: number, type: Property['type']): number {
  return type === 'INT' ? Math.trunc(Number(value.toPrecision(15))) : Number(value.toPrecision(15));
}

/** Registers hold whole numbers, unless the manifest says otherwise. */
function usual(type: Property['type']): DataType {
  return type === 'BOOLEAN' ? 'boolean' : type === 'STRING' || type === 'BYTES' ? 'string' : 'int';
}
