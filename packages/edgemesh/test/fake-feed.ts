import { createMessage, createResponse, Modules, type KubeObject, type Message } from '@edge/protocol';
import type { TestBus } from '@edge/testing';

export const keyOf = ({ apiVersion, kind, metadata }: KubeObject): string =>
  `/${apiVersion === 'v1' ? 'core/v1' : apiVersion}/${String(kind).toLowerCase()}${kind === 'Endpoints' ? '' : 's'}/${metadata.namespace}/${metadata.name}`;

/** metamanager as far as the mesh knows it: objects that are stored, and what is told of their changes. */
export class FakeFeed {
  readonly objects = new Map<string, KubeObject>();
  asked = 0;
  epoch = 'first';
  sequence = 0;
  #bus: TestBus | undefined;

  constructor(objects: readonly KubeObject[] = []) {
    for (const object of objects) this.objects.set(keyOf(object), object);
  }

  play(bus: TestBus): void {
    this.#bus = bus;
    bus.play(Modules.metaManager, 'meta', (message) => (message.route.resource === 'stored/objects' ? this.#answer(message) : undefined));
  }

  /** Stores and tells. */
  async put(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) this.objects.set(keyOf(object), object);
    await this.#tell(objects.map((object) => ({ key: keyOf(object), object })));
  }

  async remove(object: KubeObject): Promise<void> {
    this.objects.delete(keyOf(object));
    await this.#tell([{ key: keyOf(object), object: undefined }]);
  }

  async #tell(items: readonly unknown[]): Promise<void> {
    this.sequence += 1;
    const content = { epoch: this.epoch, sequence: this.sequence, items };
    await this.#bus?.bus.send({ module: 'edgemesh' }, createMessage({ source: Modules.metaManager, group: 'mesh', operation: 'update', resource: 'stored/objects', content }));
  }

  #answer(message: Message): Message {
    this.asked += 1;
    const items = [...this.objects].map(([key, object]) => ({ key, object }));
    return createResponse(message, { epoch: this.epoch, sequence: this.sequence, items });
  }
}
