import { errorText, type Logger } from '@edge/core';
import { createMessage, decodeMessage, encodeMessage, type Message, Operations, resourceType, ResourceTypes } from '@edge/protocol';
import type { WebSocket } from 'ws';
import { AckSender, type RetryPolicy } from './ack-sender.js';
import { needsAck } from './delivery.js';
import { receiverOf, type Receiver } from './dispatch.js';
import { Lanes } from './lanes.js';

/** So many messages of one node may be in work before its socket is not read any more. */
const BUSY = 1000;
/** A node that does not read what it asked for is dropped before it fills the memory. */
const UNREAD_BYTES = 128 * 1024 * 1024;
/** Time for the other side to answer the closing frame. */
const CLOSE_MS = 1000;

export interface SessionDeps {
  readonly node: string;
  readonly socket: WebSocket;
  readonly keepaliveMs: number;
  readonly retry: RetryPolicy;
  readonly log: Logger;
  /** Handles what is not the link's own business. Must not reject. */
  readonly onMessage: (message: Message, receiver: Receiver) => Promise<void>;
  readonly onAcknowledged: (message: Message) => void;
  readonly onEnd: (session: Session, reason: string) => void;
}

/** One connection of one node. */
export class Session {
  readonly node: string;
  /** When it began, milliseconds since the epoch. */
  readonly since = Date.now();
  readonly #deps: SessionDeps;
  readonly #acks: AckSender;
  readonly #lanes = new Lanes();
  readonly #ended = new AbortController();
  #lastKeepalive = Date.now();
  #keepalive: NodeJS.Timeout | undefined;
  #received = 0;
  #refused = 0;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.node = deps.node;
    this.#acks = new AckSender({ send: (message) => this.#write(message), onAcknowledged: deps.onAcknowledged, retry: deps.retry });
  }

  get statistics(): { received: number; refused: number; unacknowledged: number } {
    return { received: this.#received, refused: this.#refused, unacknowledged: this.#acks.pending };
  }

  /** Begins to read and to send. */
  start(): void {
    const { socket } = this.#deps;
    socket.on('message', (data) => this.#receive(String(data)));
    socket.on('close', (code) => this.end(`the node closed the link (${code})`));
    socket.on('error', (error) => this.end(`the link broke: ${error.message}`));
    this.#watchKeepalive();
    this.#acks.run(this.#ended.signal).catch((error: unknown) => this.end(`sending failed: ${errorText(error)}`));
  }

  /** Sends now, or in its turn when the message needs an acknowledgement. False: there was nothing to send. */
  push(message: Message): boolean {
    if (this.#ended.signal.aborted) return false;
    if (needsAck(message)) return this.#acks.offer(message);
    this.#write(message);
    return true;
  }

  /** Ends it at once; the socket is closed in the background. Repeating does nothing. */
  end(reason: string): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    clearTimeout(this.#keepalive);
    const { socket } = this.#deps;
    // A reason in a closing frame may have 123 bytes.
    socket.close(1001, reason.slice(0, 100));
    setTimeout(() => socket.terminate(), CLOSE_MS).unref();
    this.#deps.onEnd(this, reason);
  }

  #receive(text: string): void {
    if (this.#ended.signal.aborted) return;
    this.#received += 1;
    let message: Message;
    try {
      message = decodeMessage(text);
    } catch (error) {
      this.#refused += 1;
      this.#deps.log.verbose(1, 'dropped a frame', { node: this.node, err: errorText(error) });
      return;
    }
    const receiver = receiverOf(message);
    if (receiver === 'keepalive') this.#lastKeepalive = Date.now();
    else if (receiver === 'acknowledgement') this.#acks.acknowledge(message.header.parentId ?? '');
    else if (receiver === 'transport') this.#write(transportAnswer(message));
    else this.#handle(message, receiver);
  }

  #handle(message: Message, receiver: Receiver): void {
    const { socket, onMessage } = this.#deps;
    void this.#lanes.run(laneOf(message, receiver), () => onMessage(message, receiver)).then(() => {
      if (socket.isPaused && this.#lanes.running < BUSY / 2) socket.resume();
    });
    if (this.#lanes.running >= BUSY && !socket.isPaused) socket.pause();
  }

  #write(message: Message): void {
    const { socket } = this.#deps;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > UNREAD_BYTES) return this.end('the node does not read what is sent to it');
    socket.send(encodeMessage(message), { compress: false, binary: false }, (error) => {
      if (error) this.end(`sending failed: ${error.message}`);
    });
  }

  #watchKeepalive(): void {
    const left = this.#lastKeepalive + this.#deps.keepaliveMs - Date.now();
    if (left <= 0) return this.end(`no keepalive for ${this.#deps.keepaliveMs / 1000} s`);
    this.#keepalive = setTimeout(() => this.#watchKeepalive(), left);
  }
}

/** Types that write the same object share its lane, so that a patch cannot overtake the insert before it. */
const LANE_TYPES: Readonly<Record<string, string>> = {
  [ResourceTypes.podPatch]: ResourceTypes.pod,
  [ResourceTypes.podStatus]: ResourceTypes.pod,
  [ResourceTypes.nodePatch]: ResourceTypes.node,
  [ResourceTypes.nodeStatus]: ResourceTypes.node,
};

function laneOf(message: Message, receiver: Receiver): string {
  const { resource } = message.route;
  // Reports of devices keep their order by themselves; waiting here for each other, none could share a write. Requests to the API
  // have no order among themselves: a node waits for the answer to the one before when it needs it.
  if (receiver === 'devices' || receiver === 'dynamic') return message.header.id;
  const type = resourceType(resource);
  const lane = LANE_TYPES[type];
  return lane === undefined ? resource : resource.replace(`/${type}`, `/${lane}`);
}

/** The link layer of CloudHub answers three operations by itself. */
function transportAnswer(message: Message): Message {
  return createMessage({ ...message.route, operation: Operations.response, parentId: message.header.id, content: 'ack' });
}
