import { randomUUID } from 'node:crypto';
import { createErrorResponse, createMessage, type KubeObject, type Message } from '@edge/protocol';
import type { PlayedModule, TestBus } from '@edge/testing';

interface Fields {
  readonly objects?: readonly KubeObject[];
  readonly absent?: readonly KubeObject[];
  readonly path?: string;
  readonly text?: string;
  readonly token?: string;
}

/** metamanager as metaserver sees it: objects in a map, a feed, documents. */
export class FakeMeta {
  readonly objects = new Map<string, KubeObject>();
  /** Service account tokens that are stored. */
  readonly tokens = new Set<unknown>();
  readonly documents = new Map<string, string>();
  readonly recorded: Fields[] = [];
  /** Answers questions for tokens. */
  issue: (message: Message) => unknown = () => undefined;
  played: PlayedModule | undefined;
  #bus: TestBus | undefined;
  #epoch: string = randomUUID();
  #sequence = 0;
  readonly #ended = new Set<string | undefined>();
  /** Changes of devices on the node. */
  readonly edits: Message[] = [];
  /** Why they are refused. */
  editFails = '';
  /** Drops this many messages of the feed. */
  lose = 0;

  play(bus: TestBus): void {
    this.#bus = bus;
    this.played = bus.play('metamanager', 'meta', (message) => this.#answer(message));
  }

  /** As a restart of metamanager. */
  begin(): void {
    this.#epoch = randomUUID();
    this.#sequence = 0;
    this.#tell([]);
  }

  put(...objects: readonly KubeObject[]): void {
    const changed = objects.filter((object) => this.#put(object)).map(keyOf);
    this.#change(changed);
  }

  remove(object: KubeObject): void {
    this.#ended.add(object.metadata.uid);
    if (this.objects.get(keyOf(object))?.metadata.uid !== object.metadata.uid) return;
    this.objects.delete(keyOf(object));
    this.#change([keyOf(object)]);
  }

  #put(object: KubeObject): boolean {
    const there = this.objects.get(keyOf(object));
    const isOlder = there !== undefined && Number(there.metadata.resourceVersion) >= Number(object.metadata.resourceVersion);
    if (!isOlder) this.objects.set(keyOf(object), structuredClone(object));
    return !isOlder;
  }

  /** An older object of that name has gone. */
  #endBefore(object: KubeObject): boolean {
    const there = this.objects.get(keyOf(object));
    return there !== undefined && Number(there.metadata.resourceVersion) < Number(object.metadata.resourceVersion) && this.objects.delete(keyOf(object));
  }

  #change(keys: readonly string[]): void {
    if (keys.length === 0) return;
    this.#sequence += 1;
    this.#tell(keys.map((key) => this.#item(key)));
  }

  #tell(items: readonly unknown[]): void {
    if (this.lose > 0) {
      this.lose -= 1;
      return;
    }
    if (!this.#bus?.bus.reaches({ module: 'metaserver' })) return;
    const content = { epoch: this.#epoch, sequence: this.#sequence, items };
    void this.#bus.bus.send({ module: 'metaserver' }, createMessage({ source: 'metamanager', group: 'metaserver', operation: 'update', resource: 'stored/objects', content }));
  }

  #edit(message: Message): unknown {
    this.edits.push(message);
    if (this.editFails !== '') return createErrorResponse(message, this.editFails, { source: 'metamanager' });
    const object = message.content as KubeObject;
    this.objects.set(keyOf(object), structuredClone(object));
    this.#change([keyOf(object)]);
    return 'OK';
  }

  /** Devices are marked by their state, as it may not be that of their version. */
  #item(key: string): unknown {
    const object = structuredClone(this.objects.get(key));
    return { key, object, ...(object?.kind === 'Device' ? { local: JSON.stringify((object as { spec?: unknown }).spec) } : {}) };
  }

  #answer(message: Message): unknown {
    const { route, content } = message;
    if (route.resource.includes('/serviceaccounttoken/')) return this.issue(message);
    if (route.resource.endsWith('/device/updated')) return this.#edit(message);
    const fields = (content ?? {}) as Fields;
    switch (`${route.operation} ${route.resource}`) {
      case 'get stored/objects':
        return { epoch: this.#epoch, sequence: this.#sequence, items: [...this.objects.keys()].map((key) => this.#item(key)) };
      case 'update stored/objects': {
        this.recorded.push(fields);
        const gone = (fields.absent ?? []).filter(({ metadata, ...rest }) => {
          const there = this.objects.get(keyOf({ metadata, ...rest }));
          return there !== undefined && there.metadata.uid === metadata.uid && there.metadata.resourceVersion === metadata.resourceVersion && this.objects.delete(keyOf({ metadata, ...rest }));
        });
        this.#change([...gone.map(keyOf), ...(fields.objects ?? []).filter((object) => (this.#ended.has(object.metadata.uid) ? this.#endBefore(object) : this.#put(object))).map(keyOf)]);
        return { epoch: this.#epoch, sequence: this.#sequence };
      }
      case 'get stored/token':
        return { known: this.tokens.has(fields.token) };
      case 'get stored/documents':
        return { items: [...this.documents].map(([path, text]) => ({ path, text })) };
      case 'update stored/documents':
        this.documents.set(fields.path ?? '', fields.text ?? '');
        return 'OK';
      default:
        return undefined;
    }
  }
}

export const keyOf = ({ apiVersion = '', kind = '', metadata }: KubeObject): string => `/${apiVersion}/${kind}/${metadata.namespace ?? 'null'}/${metadata.name ?? ''}`;
