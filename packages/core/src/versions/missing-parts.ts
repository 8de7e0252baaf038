/** Part of a module → what it has to be. A module may be plain JavaScript that no compiler has looked at. */
const PARTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  'manifest.contract': isOptional(isMapOfTexts),
  name: isText,
  packageName: isText,
  version: isText,
  'wire.module': isText,
  'wire.group': isText,
  requires: isMapOfTexts,
  'config.path': isText,
  'config.token': isToken,
  'config.parse': isFunction,
  enabled: isFunction,
  after: isListOfTexts,
  routes: isListOfObjects,
  'restart.when': isText,
  'restart.firstMs': isNumber,
  'restart.factor': isNumber,
  'restart.limitMs': isNumber,
  'restart.jitter': isNumber,
  extraStopMs: isOptional(isFunction),
  laneCapacity: isOptional(isNumber),
  entry: isToken,
  bindings: isFunction,
};

/** The parts of a module that are absent or no such thing, `config.parse`. */
export function missingParts(module: object): string[] {
  return Object.entries(PARTS)
    .filter(([path, fits]) => !fits(path.split('.').reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), module)))
    .map(([path]) => path);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isOptional(fits: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === undefined || fits(value);
}

function isMapOfTexts(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isText);
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function isToken(value: unknown): boolean {
  return typeof value === 'symbol' || isFunction(value) || isText(value);
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
