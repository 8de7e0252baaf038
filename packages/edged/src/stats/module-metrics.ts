import type { MessageBus } from '@edge/core';
import { createMessage, isFields, Modules, Operations } from '@edge/protocol';
import type { MetricFamily } from './prometheus.js';

/** Modules that have figures of their own for `/metrics`. */
const WITH_FIGURES: readonly string[] = [Modules.edgeStream];
/** A scrape waits for other modules no longer than that. */
const PATIENCE_MS = 2_000;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Figures of other modules of the agent, asked for when somebody reads them. */
export class ModuleMetrics {
  readonly #bus: MessageBus;

  constructor(deps: { readonly bus: MessageBus }) {
    this.#bus = deps.bus;
  }

  /** Of a module that is off, or does not answer, there are none. */
  async families(signal: AbortSignal): Promise<MetricFamily[]> {
    const answers = await Promise.all(WITH_FIGURES.filter((module) => this.#bus.reaches({ module })).map((module) => this.#ask(module, signal)));
    return answers.flat();
  }

  async #ask(module: string, signal: AbortSignal): Promise<MetricFamily[]> {
    const question = createMessage({ source: Modules.edged, group: module, operation: Operations.get, resource: 'metrics' });
    const { content } = await this.#bus.request({ module }, question, { timeoutMs: PATIENCE_MS, signal }).catch(() => ({ content: undefined }));
    return Array.isArray(content) ? content.filter(isFamily) : [];
  }
}

function isFamily(value: unknown): value is MetricFamily {
  if (!isFields(value)) return false;
  const { name, help, type, samples } = value;
  return typeof name === 'string' && NAME.test(name) && typeof help === 'string' && (type === 'counter' || type === 'gauge') && Array.isArray(samples) && samples.every((sample) => isFields(sample) && typeof sample['value'] === 'number');
}
