/** What clients may write; the texts are upstream's, programs look for them. */
export const Reasons = {
  unreadable: 'Unmarshal update request body failed, please check the request',
  noTwin: 'Update twin error, key:twin does not exist',
  badKey:
    'The key of twin must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of key should be less than 128 bytes',
  badValue:
    'The value of twin must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of value should be less than 512 bytes',
  longValue: 'The value of twin must be at most 65536 bytes',
  noDevice: 'update rejected due to the device is not existed',
  notInteger: 'the value is not int or integer',
  notFloat: 'the value is not float',
  notBoolean: 'the bool value must be true or false',
  noSuchType: 'the value type is not allowed',
} as const;

const KEY = /^[a-zA-Z0-9\-_.,:/@#]{1,128}$/;
const VALUE = /^[a-zA-Z0-9\-_.,:/@#]{1,512}$/;
const LONGEST_VALUE = 65_536;

export function isTwinKey(key: string): boolean {
  return KEY.test(key);
}

/** Why a value is refused, undefined when it is fine. The empty text always is. @param any whether any characters are allowed */
export function refusedValue(value: string, any: boolean): string | undefined {
  if (any) return value.length <= LONGEST_VALUE && Buffer.byteLength(value) <= LONGEST_VALUE ? undefined : Reasons.longValue;
  return value === '' || VALUE.test(value) ? undefined : Reasons.badValue;
}

/** Why a value is not of the type, undefined when it is. Types are lower-case; there is no `double` and no `bytes`. */
export function refusedType(type: string, value: string): string | undefined {
  switch (type) {
    case '':
    case 'string':
      return undefined;
    case 'int':
    case 'integer':
      return isInt64(value) ? undefined : Reasons.notInteger;
    case 'float':
      return isFloat64(value) ? undefined : Reasons.notFloat;
    case 'boolean':
      return value === 'true' || value === 'false' ? undefined : Reasons.notBoolean;
    default:
      return Reasons.noSuchType;
  }
}

const MAX_INT64 = 2n ** 63n - 1n;
/** More digits than any int64 has, leading zeros apart, cannot be one; and BigInt of a long text is slow. */
const LONGEST_INT = 64;

function isInt64(value: string): boolean {
  if (!/^[+-]?\d+$/.test(value) || value.length > LONGEST_INT) return false;
  const number = BigInt(value.replace(/^\+/, ''));
  return number <= MAX_INT64 && number >= -MAX_INT64 - 1n;
}

/** Go's syntax of float64; a number beyond its range is none. */
function isFloat64(value: string): boolean {
  if (/^[+-]?(inf|infinity)$/i.test(value) || /^nan$/i.test(value)) return true;
  if (/^[+-]?0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)[pP][+-]?\d+$/.test(value)) return true;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) && Number.isFinite(Number(value));
}
