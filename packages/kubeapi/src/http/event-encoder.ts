import type { KubeObject, WatchEvent } from '../types/object.js';
import type { ResourceType } from '../types/resource.js';
import type { AnswerForm } from './accept.js';
import type { EncodedObjects } from './encoded-objects.js';
import { partialOf, tableOf, type IncludeObject } from './table.js';

/**
 * Writes watch events as lines. A change reaches all its watchers in one go, so remembering the last line is enough
 * to make the thousandth watcher almost free.
 */
export class EventEncoder {
  readonly #encoded: EncodedObjects;
  #lastObject: KubeObject | undefined;
  #lastType: WatchEvent['type'] | undefined;
  #lastLine: Buffer = Buffer.alloc(0);

  constructor(deps: { encoded: EncodedObjects }) {
    this.#encoded = deps.encoded;
  }

  /** The line, shared: read it only. */
  encode(event: WatchEvent): Buffer {
    if (event.object !== this.#lastObject || event.type !== this.#lastType) {
      this.#lastLine = this.#encoded.event(event);
      this.#lastObject = event.object;
      this.#lastType = event.type;
    }
    return this.#lastLine;
  }
}

/** For watchers that asked for another form than the plain object. */
export function shapedEvent(event: WatchEvent, type: ResourceType | undefined, form: AnswerForm, include: IncludeObject): Buffer {
  return Buffer.from(`${JSON.stringify({ type: event.type, object: shape(event, type, form, include) })}\n`);
}

function shape(event: WatchEvent, type: ResourceType | undefined, form: AnswerForm, include: IncludeObject): unknown {
  const { object } = event;
  if (event.type === 'ERROR') return object;
  if (form.as === 'Table') {
    // A bookmark has no row, but its version has to arrive.
    const objects = event.type === 'BOOKMARK' ? [] : [object];
    return tableOf(type, objects, { resourceVersion: object.metadata.resourceVersion }, { include, version: form.version, now: new Date() });
  }
  return partialOf(object, form.version);
}
