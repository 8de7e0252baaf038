import type { ConfigWarning } from './errors.js';
import { freeze } from './freeze.js';
import type { HostFacts } from './host.js';
import { migrate } from './migrate.js';
import { overlay } from './overlay.js';
import { Report } from './report.js';
import { schema, type EdgeCoreConfig } from './schema/schema.js';
import { validate } from './validate.js';
import { readYaml } from './yaml/read.js';

export interface LoadedConfig {
  /** Deeply frozen. */
  readonly config: EdgeCoreConfig;
  readonly warnings: readonly ConfigWarning[];
  /** Set when the text was in the old layout. The file itself is left as it is. */
  readonly migratedFrom?: 'v1alpha1';
}

/**
 * Reads a configuration text: defaults of this host, the text over them, validated.
 * Throws one `ConfigError` (`config.invalid`) with everything that is wrong, and nothing else, whatever the text is.
 */
export function loadConfig(text: string, host: HostFacts): LoadedConfig {
  const report = new Report();
  const parsed = readYaml(text, report);
  const { raw, migratedFrom } = migrate(parsed, report);
  const { data, lines } = overlay(schema, raw, host, report);
  validate(schema, data, lines, report);
  const warnings = report.finish();
  return { config: freeze(data as unknown as EdgeCoreConfig), warnings, ...(migratedFrom === undefined ? {} : { migratedFrom }) };
}

/** The configuration of an empty file. */
export function defaultConfig(host: HostFacts): EdgeCoreConfig {
  return freeze(overlay(schema, undefined, host, new Report()).data as unknown as EdgeCoreConfig);
}
