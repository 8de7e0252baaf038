import type { LinkStatus, WritableCell } from '@edge/core';
import { createMessage, Groups, Modules, Operations, type Message } from '@edge/protocol';
import { createMemoryStore, freePort, runModule, type MemoryStore, type PlayedModule, type RunningModule, type Script } from '@edge/testing';
import { servicebus } from '../../src/index.js';

export interface SceneOptions {
  readonly store?: MemoryStore;
  /** Members of `modules.serviceBus`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Members of `edge.serviceBus`. */
  readonly own?: Readonly<Record<string, unknown>>;
  /** Other modules' slices. */
  readonly modules?: Readonly<Record<string, unknown>>;
  /** Other members of `edge`. */
  readonly edge?: Readonly<Record<string, unknown>>;
  /** What the cloud says; by default that an answer has left. */
  readonly hub?: Script;
  readonly connected?: boolean;
}

/** The module alone, with a played hub. */
export interface Scene extends AsyncDisposable {
  readonly module: RunningModule;
  readonly store: MemoryStore;
  readonly hub: PlayedModule;
  readonly link: WritableCell<LinkStatus>;
  /** Port of the local server. */
  readonly port: number;
  /** Plays the router: sends a call and gives the reply. */
  call(resource: string, content: unknown, operation?: string): Promise<Reply>;
  tell(operation: string, resource: string): Promise<void>;
}

export interface Reply {
  readonly message: Message;
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
  readonly text: string;
}

export const UP: LinkStatus = { connected: true, session: 1, since: 0 };
export const DOWN: LinkStatus = { connected: false, session: 1, since: 0, reason: 'the cable is out' };

export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const { store = createMemoryStore(), config = {}, own = {}, modules = {}, edge = {}, hub: script = () => 'OK', connected = true } = options;
  const port = (config['port'] as number | undefined) ?? (await freePort());
  let hub: PlayedModule | undefined;
  const module = await runModule(servicebus, {
    store,
    config: { modules: { ...modules, serviceBus: { enable: true, port, ...config } }, edge: { ...edge, serviceBus: own } },
    neighbours: (bus) => {
      hub = bus.play(Modules.edgeHub, Groups.hub, script);
    },
  });
  const played = hub as PlayedModule;
  // The agent's hub is the writer.
  const link = module.core.link as WritableCell<LinkStatus>;
  link.set(connected ? UP : DOWN);
  const send = async (operation: string, resource: string, content: unknown = null): Promise<Message> => {
    const message = createMessage({ source: 'router_servicebus', group: Groups.user, operation, resource, content });
    await module.core.bus.send({ module: Modules.serviceBus }, message);
    return message;
  };
  return {
    module, store, hub: played, link, port,
    call: async (resource, content, operation = 'POST') => {
      const asked = await send(operation, resource, content);
      return replyOf(await played.next(({ header }) => header.parentId === asked.header.id, 60_000));
    },
    tell: async (operation, resource) => void (await send(operation, resource)),
    [Symbol.asyncDispose]: () => module.stop(),
  };
}

/** The content of a call. */
export function request(method: string, body: string | Buffer = '', header: Readonly<Record<string, readonly string[]>> = {}): object {
  return { header, body: Buffer.from(body).toString('base64'), method, url: '' };
}

export function replyOf(message: Message): Reply {
  const { header, status_code: status, body } = message.content as { header: Record<string, string[]>; status_code: number; body: string };
  const bytes = Buffer.from(body, 'base64');
  return { message, status, headers: header, body: bytes, text: bytes.toString() };
}

/** True for what a program on the node asks the cloud. */
export const isUpload = ({ header, route }: Message): boolean => header.parentId === undefined && route.operation === Operations.upload;
