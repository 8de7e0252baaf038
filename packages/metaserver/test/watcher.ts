import type { IncomingMessage } from 'node:http';
import { sleep } from '@edge/core';
import type { Event, Json, Scene } from './scene.js';

export interface WatcherSpec {
  /** Of the collection. */
  readonly path: string;
  /** Selectors, as in a query; empty for none. */
  readonly query?: string;
}

/**
 * A client as informers are: lists, watches, comes back at the last version when the stream ends, lists again after a 410 and
 * only then. It holds against the server whatever an informer would stumble over.
 */
export class Watcher {
  readonly objects = new Map<string, string>();
  readonly problems: string[] = [];
  lists = 0;
  resumes = 0;
  events = 0;
  #version = '';
  #stream: IncomingMessage | undefined;
  /** Versions of objects, which have to grow as well. */
  readonly #versions = new Map<string, number>();

  constructor(readonly spec: WatcherSpec, private readonly scene: () => Scene) {}

  /** Breaks its connection, as a network does. */
  drop(): void {
    this.#stream?.destroy();
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.drop(), { once: true });
    while (!signal.aborted) {
      try {
        if (this.#version === '') await this.#list();
        else this.resumes += 1;
        await this.#watch(signal);
      } catch {
        // The server is away for the moment.
      }
      await sleep(5, signal).catch(() => undefined);
    }
  }

  #path(more = ''): string {
    const query = [this.spec.query ?? '', more].filter((part) => part !== '').join('&');
    return query === '' ? this.spec.path : `${this.spec.path}?${query}`;
  }

  async #list(): Promise<void> {
    const { code, json } = await this.scene().call('GET', this.#path());
    if (code !== 200) throw new Error(`list: ${code}`);
    this.lists += 1;
    this.objects.clear();
    this.#versions.clear();
    for (const { metadata, data } of json.items as Json[]) {
      this.objects.set(`${metadata.namespace}/${metadata.name}`, data.n);
      this.#versions.set(metadata.uid, Number(metadata.resourceVersion));
    }
    this.#version = json.metadata.resourceVersion;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const stream = await this.scene().open('GET', this.#path(`watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}`));
    this.#stream = stream;
    if (signal.aborted) stream.destroy();
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as Event);
    });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.on('close', resolve));
    // A stream that does not begin is a plain answer.
    if (stream.statusCode === 410) this.#version = '';
  }

  #take({ type, object }: Event): void {
    this.events += 1;
    if (type === 'ERROR') {
      if (object.code !== 410) this.problems.push(`ERROR ${JSON.stringify(object)}`);
      this.#version = '';
      return;
    }
    const { name, namespace, uid, resourceVersion } = object.metadata;
    if (Number(resourceVersion) < Number(this.#version) || (type !== 'BOOKMARK' && resourceVersion === this.#version)) this.problems.push(`${type} ${name} at ${resourceVersion} after ${this.#version}`);
    this.#version = resourceVersion;
    if (type === 'BOOKMARK') return;
    const key = `${namespace}/${name}`;
    const n = object.data?.n as string;
    if ((this.#versions.get(uid) ?? 0) >= Number(resourceVersion)) this.problems.push(`${type} ${key} at ${resourceVersion} after its own ${this.#versions.get(uid)}`);
    this.#versions.set(uid, Number(resourceVersion));
    if (type === 'ADDED' && this.objects.has(key)) this.problems.push(`ADDED ${key}, which was there`);
    if (type !== 'ADDED' && !this.objects.has(key)) this.problems.push(`${type} ${key}, which was not there`);
    if (type === 'MODIFIED' && this.objects.get(key) === n) this.problems.push(`MODIFIED ${key} without a change`);
    if (type === 'DELETED') this.objects.delete(key);
    else this.objects.set(key, n);
  }
}
