import { isAbort, backoffDelay, errorText, sleep, type Backoff, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, isFields, Operations, type Message } from '@edge/protocol';
import type { MapperInfo } from '@edge/protocol/dmi';
import { FieldReader } from '../convert/fields.js';
import { deviceTwinError } from '../../errors.js';

const TYPE = 'devicemapper';
/** Upstream's key, the literal words included. */
const KEY_PREFIX = `node/nodeID/namespace/${TYPE}/`;
const AGAIN: Backoff = { firstMs: 200, factor: 2, limitMs: 5000, jitter: 0.2 };
const TIMEOUT_MS = 5000;

/** The registrations of mappers, which metamanager keeps in upstream's rows. */
export class MapperRegistry {
  readonly #bus: MessageBus;
  readonly #log: Logger;

  constructor(deps: { bus: MessageBus; log: Logger }) {
    this.#bus = deps.bus;
    this.#log = deps.log;
  }

  /** All that are stored; asks until metamanager answers. Rows that are no registrations are passed over. @throws EdgeError `core.aborted` */
  async load(signal: AbortSignal): Promise<readonly MapperInfo[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await this.#ask(Operations.get, `stored/${TYPE}`, null, signal);
        return this.#mappers(answer.content);
      } catch (error) {
        if (isAbort(error)) throw error;
        if (attempt === 3) this.#log.warn('the registrations of mappers cannot be read yet', { reason: errorText(error) });
        await sleep(backoffDelay(AGAIN, attempt, Math.random()), signal);
      }
    }
  }

  /** Adds the registration or replaces it. @throws EdgeError when it is not on the disk */
  async save(mapper: MapperInfo): Promise<void> {
    await this.#ask(Operations.insert, `${KEY_PREFIX}${mapper.name}`, rowOf(mapper));
  }

  /** @throws EdgeError when it may still be on the disk */
  async remove(mapper: MapperInfo): Promise<void> {
    await this.#ask(Operations.delete, `${KEY_PREFIX}${mapper.name}`, rowOf(mapper));
  }

  async #ask(operation: string, resource: string, content: unknown, signal?: AbortSignal): Promise<Message> {
    const question = createMessage({ source: 'twin', group: Groups.meta, operation, resource, content });
    const answer = await this.#bus.request({ group: Groups.meta }, question, { timeoutMs: TIMEOUT_MS, ...(signal ? { signal } : {}) });
    if (answer.route.operation === Operations.error) throw deviceTwinError('devicetwin.objects', `${operation} ${resource}: ${String(answer.content)}`);
    return answer;
  }

  #mappers(content: unknown): MapperInfo[] {
    const items = isFields(content) && Array.isArray(content['items']) ? (content['items'] as unknown[]) : [];
    return items.flatMap((item) => {
      const row = new FieldReader(item);
      const mapper = mapperOf(row.get('value'));
      if (mapper) return [mapper];
      this.#log.warn('a stored registration of a mapper is not readable and is passed over', { key: row.text('key') });
      return [];
    });
  }
}

/** The row as upstream writes it: the socket's path is base64. */
function rowOf({ name, version, apiVersion, protocol, address, state }: MapperInfo): Record<string, string> {
  return { name, version, api_version: apiVersion, protocol, address: address.toString('base64'), state };
}

function mapperOf(value: unknown): MapperInfo | undefined {
  const row = new FieldReader(value);
  const mapper = {
    name: row.text('name'),
    version: row.text('version'),
    apiVersion: row.text('api_version'),
    protocol: row.text('protocol'),
    address: Buffer.from(row.text('address'), 'base64'),
    state: row.text('state'),
  };
  return mapper.name && mapper.protocol && mapper.address.length > 0 ? mapper : undefined;
}
