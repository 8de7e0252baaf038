import type { KubeList, KubeObject, WatchEvent } from '../types/object.js';

const [COMMA, BRACE, BRACKET] = [0x2c, 0x7d, 0x5d];
const LIST_END = Buffer.from('}\n');
const NEWLINE = Buffer.from('\n');

/**
 * JSON of objects, kept as long as the object is: a state that is read often is written out once. Objects that come out of a
 * store never change, so what is kept is never stale.
 */
export class EncodedObjects {
  readonly #limit: number;
  #kept = new WeakMap<KubeObject, Buffer>();
  #bytes = 0;

  /** @param deps.limit bytes that may be kept; beyond it everything is forgotten and written out anew */
  constructor(deps: { limit: number }) {
    this.#limit = deps.limit;
  }

  /** Body of an answer with one object: its JSON and a newline. Shared: read it only. */
  object(object: KubeObject): Buffer {
    const known = this.#kept.get(object);
    if (known !== undefined) return known;
    const bytes = encode(object);
    if (bytes.length > this.#limit) return bytes;
    if (this.#bytes + bytes.length > this.#limit) {
      this.#kept = new WeakMap();
      this.#bytes = 0;
    }
    this.#kept.set(object, bytes);
    this.#bytes += bytes.length;
    return bytes;
  }

  /** Body of an answer with a list: the same bytes as JSON of the list, and a newline. */
  list({ items, ...head }: KubeList): Buffer {
    const begin = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`);
    const parts = items.map((item) => this.object(item));
    if (parts.length === 0) return Buffer.concat([begin, Buffer.of(BRACKET), LIST_END]);
    const body = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length, begin.length + LIST_END.length));
    let at = begin.copy(body);
    for (const part of parts) {
      at += part.copy(body, at);
      // In place of the newline after each object.
      body[at - 1] = COMMA;
    }
    body[at - 1] = BRACKET;
    LIST_END.copy(body, at);
    return body;
  }

  /** Line of a watch. */
  event({ type, object }: WatchEvent): Buffer {
    // Bookmarks and errors are made for one watcher and never come again.
    const bytes = type === 'BOOKMARK' || type === 'ERROR' ? encode(object) : this.object(object);
    const line = Buffer.concat([Buffer.from(`{"type":"${type}","object":`), bytes, NEWLINE]);
    line[line.length - 2] = BRACE;
    return line;
  }
}

const encode = (object: KubeObject): Buffer => Buffer.from(`${JSON.stringify(object)}\n`);
