import { ConfigError, loadConfig, type ConfigProblem, type ConfigWarning, type EdgeCoreConfig } from '../src/index.js';

export const host = { hostname: 'vm', localIP: '192.0.2.2' };

export const load = (text: string): EdgeCoreConfig => loadConfig(text, host).config;
export const warningsOf = (text: string): readonly ConfigWarning[] => loadConfig(text, host).warnings;

export function problemsOf(text: string): readonly ConfigProblem[] {
  return failure(text).problems;
}

export function failure(text: string): ConfigError {
  try {
    loadConfig(text, host);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

/** `under('modules.edgeHub', 'heartbeat: 3')` → nested YAML text. */
export function under(path: string, ...lines: readonly string[]): string {
  const keys = path.split('.');
  return [...keys.map((key, i) => `${'  '.repeat(i)}${key}:`), ...lines.map((line) => `${'  '.repeat(keys.length)}${line}`)].join('\n') + '\n';
}
