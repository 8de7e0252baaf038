import type { ModuleDefinition } from '@edge/core';
import { isFields } from '@edge/protocol';

/** The configuration with settings laid over the slice that a module owns, key by key; nothing of what is given changes. Pure. */
export function withSettings(config: Readonly<Record<string, unknown>>, module: ModuleDefinition, settings: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> {
  return settings === undefined ? config : laid(config, module.config.path.split('.'), settings);
}

function laid(tree: unknown, [key, ...below]: readonly string[], settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const fields = isFields(tree) ? tree : {};
  return key === undefined ? { ...fields, ...settings } : { ...fields, [key]: laid(fields[key], below, settings) };
}
