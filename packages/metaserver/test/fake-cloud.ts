import {
  ApiServer, builtinResources, isApiError, KubeApi, MemoryObjectStore, notFound, ResourceRegistry, type DraftObject, type ListOptions, type PatchType, type ResourceRef,
} from '@edge/kubeapi';
import { createMessage, type KubeObject, type Message } from '@edge/protocol';
import type { Application } from '../src/cloud/application.js';
import type { FakeMeta } from './fake-meta.js';

const PATCHES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json', 'application/merge-patch+json': 'merge', 'application/strategic-merge-patch+json': 'strategic', 'application/apply-patch+yaml': 'apply',
};
type Status = Readonly<Record<string, unknown>>;

/** CloudCore's dynamiccontroller over an API server of its own. Listeners push into metamanager while the link is up. */
export class FakeCloud implements AsyncDisposable {
  readonly asked: Application[] = [];
  readonly syncs: string[][] = [];
  readonly listeners = new Map<string, () => void>();
  /** Answers nothing while it is true. */
  isSilent = false;
  /** Refuses what it names. */
  refuse: ((application: Application) => Status | string | undefined) | undefined;
  /** Answers in place of the API. */
  script: ((application: Application) => unknown) | undefined;
  /** Runs before an answer leaves. */
  beforeAnswer: ((application: Application) => Promise<void> | void) | undefined;
  isConnected = true;

  private constructor(readonly api: KubeApi, readonly server: ApiServer, readonly port: number, readonly meta: FakeMeta) {}

  static async start(meta: FakeMeta): Promise<FakeCloud> {
    const registry = new ResourceRegistry(builtinResources());
    const api = new KubeApi({ registry, store: await MemoryObjectStore.open() });
    await api.resource('v1', 'namespaces').create({ metadata: { name: 'default' } });
    const server = new ApiServer({ backend: api, registry });
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    return new FakeCloud(api, server, port, meta);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.forget();
    await this.server.close();
    this.api.close();
  }

  /** As a restart of CloudCore. */
  forget(): void {
    for (const stop of this.listeners.values()) stop();
    this.listeners.clear();
  }

  requests(verb: string): string[] {
    return this.asked.filter(({ Verb }) => Verb === verb).map(({ Key }) => Key);
  }

  async answer(message: Message): Promise<Message | undefined> {
    if (message.route.group !== 'dynamiccontroller' || this.isSilent) return undefined;
    if (message.route.resource === 'watchapp/sync') return reply(message, await this.#sync(message.content as Record<string, Application>));
    const application = message.content as Application;
    this.asked.push(application);
    const content = await this.#judge(application);
    await this.beforeAnswer?.(application);
    return this.isConnected ? reply(message, content) : undefined;
  }

  async #sync(wanted: Record<string, Application>): Promise<Record<string, unknown>> {
    this.syncs.push(Object.values(wanted).map(({ Key }) => Key));
    for (const [id, stop] of this.listeners) {
      if (Object.hasOwn(wanted, id)) continue;
      stop();
      this.listeners.delete(id);
    }
    const failed: Record<string, unknown> = {};
    for (const [id, application] of Object.entries(wanted)) {
      const refused = this.refuse?.(application);
      if (refused !== undefined) failed[id] = rejected(application, refused);
      else await this.#listen(application);
    }
    return failed;
  }

  async #judge(application: Application): Promise<unknown> {
    const refused = this.refuse?.(application);
    if (refused !== undefined) return rejected(application, refused);
    const scripted = this.script?.(application);
    if (scripted !== undefined) return scripted;
    try {
      const body = application.Key.startsWith('/api') && !application.Key.includes('/null') || application.Key === '/version' ? await this.#document(application.Key) : await this.#perform(application);
      return { ...application, Status: 'Approved', RespBody: body === undefined ? null : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)).toString('base64') };
    } catch (error) {
      if (!isApiError(error)) throw error;
      // As upstream: the code of a refused list is lost in the words.
      return rejected(application, application.Verb === 'list' ? `successfully to add listener but failed to get current list, ${error.message}` : { ...error.toStatus() });
    }
  }

  async #document(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    if (response.status === 404) throw notFound({ resource: path, group: '', name: '' });
    return response.text();
  }

  async #perform(application: Application): Promise<unknown> {
    const ref = refOf(application);
    const option = JSON.parse(Buffer.from(application.Option ?? 'e30=', 'base64').toString()) as Record<string, unknown>;
    const body = application.ReqBody === null ? undefined : (JSON.parse(Buffer.from(application.ReqBody, 'base64').toString()) as DraftObject);
    const options = { dryRun: Array.isArray(option.dryRun) };
    switch (application.Verb) {
      case 'get': return this.api.get(ref);
      case 'list': return this.api.list(ref, option as ListOptions);
      case 'watch': return this.#listen(application);
      case 'create': return this.api.create(ref, body as DraftObject, options);
      case 'update': return (await this.api.update(ref, body as DraftObject, options)).object;
      case 'updatestatus': return (await this.api.update({ ...ref, subresource: 'status' }, body as DraftObject, options)).object;
      case 'patch': {
        const patch = { type: PATCHES[String(option.PatchType)] as PatchType, body: JSON.parse(Buffer.from(String(option.Data), 'base64').toString()) as unknown };
        return (await this.api.patch(ref, patch, { ...options, fieldManager: 'test' })).object;
      }
      case 'delete': {
        await this.api.delete(ref, option as never);
        return undefined;
      }
    }
  }

  async #listen(application: Application): Promise<undefined> {
    if (this.listeners.has(application.ID)) return;
    const { fieldSelector } = JSON.parse(Buffer.from(application.Option ?? 'e30=', 'base64').toString()) as { fieldSelector?: string };
    this.listeners.set(application.ID, () => undefined);
    const ref = refOf(application);
    const isPods = ref.resource === 'pods';
    // CloudCore's listeners find no pods by namespace, unless it is called so.
    const [, namespace] = /(?:^|,)metadata\.namespaces=([^,]+)/.exec(fieldSelector ?? '') ?? [];
    const rest = (fieldSelector ?? '').split(',').filter((term) => !term.startsWith('metadata.namespaces=')).join(',');
    const isDeaf = isPods && ref.namespace !== undefined;
    const handle = await this.api.watch({ ...ref, ...(namespace === undefined ? {} : { namespace }) }, rest === '' ? {} : { fieldSelector: rest }, ({ type, object }) => {
      if (isDeaf || !this.isConnected || !this.listeners.has(application.ID)) return;
      if (type === 'DELETED') this.meta.remove(object as unknown as KubeObject);
      else this.meta.put(object as unknown as KubeObject);
    });
    this.listeners.set(application.ID, () => handle.close());
    return undefined;
  }
}

function refOf({ Key, Subresource }: Application): ResourceRef {
  const [, group = '', version = '', resource = '', namespace, name] = Key.split('/');
  return {
    group: group === 'core' ? '' : group, version, resource,
    ...(namespace === 'null' || namespace === undefined ? {} : { namespace }), ...(name === 'null' || name === undefined ? {} : { name }),
    ...(Subresource === '' ? {} : { subresource: Subresource }),
  };
}

function rejected(application: Application, why: Status | string): unknown {
  return { ...application, Status: 'Rejected', RespBody: null, ...(typeof why === 'string' ? { Reason: why } : { Error: { ErrStatus: why } }) };
}

function reply(asked: Message, content: unknown): Message {
  return createMessage({ source: 'dynamiccontroller', group: 'resource', operation: 'applicationResponse', resource: 'ignore/Application/ignore', content, parentId: asked.header.id });
}
