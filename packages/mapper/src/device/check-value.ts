import { MapperError, MapperErrors } from '../errors.js';
import type { Property } from './device.js';
import { parseValue, type Value } from './values.js';

/**
 * The value that may be written for a text: of the property's type, within the model's limits, of a property that can
 * be written.
 * @throws MapperError `mapper.read-only`, `mapper.bad-value`, `mapper.out-of-range`
 */
export function writableValue(property: Property, text: string): Value {
  if (property.access === 'ReadOnly') throw new MapperError(MapperErrors.readOnly, `property ${property.name} is read only, "${text}" cannot be written`);
  const value = parseValue(property.type, text);
  const { minimum = -Infinity, maximum = Infinity } = property;
  if ((typeof value === 'number' || typeof value === 'bigint') && (value < minimum || value > maximum)) {
    throw new MapperError(MapperErrors.outOfRange, `${text} is out of the range ${minimum} .. ${maximum} of property ${property.name}`);
  }
  return value;
}
