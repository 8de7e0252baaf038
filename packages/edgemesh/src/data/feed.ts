import { errorText, sleep, type Logger, type MessageBus } from '@edge/core';
import { createMessage, Groups, isFields, Modules, Operations, type Message } from '@edge/protocol';
import { edgeMeshError, EdgeMeshErrors } from '../errors.js';
import type { MeshTable, ObjectChange } from './mesh-table.js';

const RESOURCE = 'stored/objects';
/** Reading everything from the disk may take its time on a small machine. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1000;
/** Beginnings of the keys that count: `/GROUP/VERSION/RESOURCE/`. */
const PREFIXES = ['/core/v1/services/', '/core/v1/endpoints/', '/discovery.k8s.io/v1/endpointslices/'];

interface Told {
  readonly epoch: string;
  readonly sequence: number;
  readonly items: readonly ObjectChange[];
}

/** metamanager's services and endpoints: all once, then each change in order; all again when a message is missing. [edgemesh-3] */
export class Feed {
  readonly #bus: MessageBus;
  readonly #table: MeshTable;
  readonly #log: Logger;
  #epoch = '';
  #sequence = -1;
  #turn: Promise<void> = Promise.resolve();

  constructor(deps: { bus: MessageBus; table: MeshTable; log: Logger }) {
    this.#bus = deps.bus;
    this.#table = deps.table;
    this.#log = deps.log;
  }

  /** Resolves when the table has what is stored. Tries until the signal aborts: without it nothing has a name. */
  begin(signal: AbortSignal): Promise<void> {
    return this.#inTurn(() => this.#again(signal));
  }

  /** A message of metamanager; in order, and after what is under way, whose answer may be newer or older than it. */
  take(message: Message, signal: AbortSignal): Promise<void> {
    const told = readTold(message);
    return this.#inTurn(async () => {
      if (told.epoch === this.#epoch && told.sequence <= this.#sequence) return;
      if (told.epoch !== this.#epoch || told.sequence > this.#sequence + 1) return this.#again(signal);
      this.#table.apply(told.items);
      this.#sequence = told.sequence;
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #again(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { epoch, sequence, items } = await this.#ask(signal);
        this.#table.replace(items);
        this.#epoch = epoch;
        this.#sequence = sequence;
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#log.warn('metamanager does not give its services; asking again', { err: errorText(error) });
        await sleep(PAUSE_MS, signal).catch(() => undefined);
      }
    }
  }

  async #ask(signal: AbortSignal): Promise<Told> {
    const question = createMessage({ source: Modules.edgeMesh, group: Groups.meta, operation: Operations.get, resource: RESOURCE, content: { prefixes: PREFIXES } });
    const answer = await this.#bus.request({ group: Groups.meta }, question, { timeoutMs: PATIENCE_MS, signal });
    if (answer.route.operation === Operations.error) throw edgeMeshError(EdgeMeshErrors.noObjects, `metamanager does not give its objects: ${String(answer.content)}`);
    return readTold(answer);
  }
}

function readTold({ content }: Message): Told {
  if (isFields(content) && typeof content.epoch === 'string' && typeof content.sequence === 'number' && Array.isArray(content.items)) return content as unknown as Told;
  throw edgeMeshError(EdgeMeshErrors.malformed, 'what metamanager tells of its objects is not as agreed');
}
