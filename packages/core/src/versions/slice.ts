import { EdgeError, errorText } from '../errors.js';
import type { ModuleDefinition } from '../module.js';
import type { Incompatibility } from './check.js';

/**
 * What a module makes of its slice of the configuration.
 * @throws EdgeError `config.invalid` naming the slice
 */
export function readSlice(module: ModuleDefinition, config: Readonly<Record<string, unknown>>): unknown {
  let raw: unknown = config;
  for (const key of module.config.path.split('.')) raw = (raw as Record<string, unknown> | null | undefined)?.[key];
  try {
    return module.config.parse(raw, config);
  } catch (cause) {
    throw new EdgeError('config.invalid', `${module.config.path} is not valid: ${errorText(cause)}`, { cause });
  }
}

/** The modules that refuse their slices of the configuration, one problem each. */
export function checkSlices(modules: readonly ModuleDefinition[], config: Readonly<Record<string, unknown>>): Incompatibility[] {
  return modules.flatMap((module) => {
    try {
      const slice = readSlice(module, config);
      module.enabled(slice);
      module.extraStopMs?.(slice);
      return [];
    } catch (error) {
      return [{ problem: 'config', module: module.name, roles: [module.name], text: `${module.packageName} ${module.version} refuses the configuration: ${errorText(error)}` }];
    }
  });
}
