import { isFields, type ConfigData } from '@edge/protocol';
import { anyOf, type ConfigValue, type CustomizedValue } from '@edge/protocol/dmi';
import { deviceTwinError } from '../../errors.js';

/** What becomes of objects and lists in `configData`: no mapper of upstream can read them. */
export type NestedConfig = 'refuse' | 'json';

/**
 * Free-form settings as the interface carries them. `null` is left out.
 * @param where names the settings in errors
 * @throws EdgeError `devicetwin.dmi-nested` for an object or a list, unless these go as their JSON text
 */
export function configData(data: ConfigData | undefined, nested: NestedConfig, where: string): CustomizedValue {
  const entries = Object.entries(isFields(data) ? data : {}).filter(([, value]) => value !== null && value !== undefined);
  return { data: Object.fromEntries(entries.map(([key, value]) => [key, anyOf(plain(value, nested, `${where}.${key}`))])) };
}

function plain(value: unknown, nested: NestedConfig, where: string): ConfigValue {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  if (nested === 'json') return JSON.stringify(value);
  const what = Array.isArray(value) ? 'a list' : 'an object';
  throw deviceTwinError(
    'devicetwin.dmi-nested',
    `${where} is ${what}; mappers take text, numbers and booleans only (edge.deviceTwin.dmi.nestedConfig: json sends its JSON text)`,
  );
}
