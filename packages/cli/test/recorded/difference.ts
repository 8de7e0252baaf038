import type { Message, Pod } from '@edge/protocol';

/** A message of the recording with what was known when it was sent. */
export interface RecordedMessage {
  readonly message: Message;
  /** The frame as it was sent. */
  readonly text: string;
  /** Index of the recording. */
  readonly capture: number;
  /** Of a status patch: the pod as the API had it. */
  readonly pod: Pod | undefined;
  /** Of an acknowledgement: what it acknowledges. */
  readonly answered: Message | undefined;
  /** The agent had read its lease before, in this run of it. */
  readonly leaseKnown: boolean;
}

/** A message of our agent with what was known when it was sent. */
export interface OwnMessage {
  readonly message: Message;
  readonly text: string;
  readonly capture: number;
  /** Connections so far, counted from 1. */
  readonly session: number;
  /** Of an acknowledgement: what it acknowledges. */
  readonly answered: Message | undefined;
  /** No message with the same subject before it in its session. */
  readonly firstInSession: boolean;
  /** A message with the same subject was sent in an earlier session. */
  readonly saidBefore: boolean;
  /** Messages of the recording with the same subject. */
  readonly rivals: readonly Message[];
}

/** Two contents that should be equal. */
export interface Contents {
  readonly upstream: unknown;
  readonly ours: unknown;
}

export interface PairedMessages {
  readonly upstream: RecordedMessage;
  readonly ours: OwnMessage;
  /** Our messages with the same subject that stand for nothing in the recording and came before. */
  readonly added: readonly Message[];
}

/**
 * A way in which our agent may differ on the wire from upstream's. Data for the comparison and for docs/parity/wire.md.
 * What no difference covers has to be equal.
 */
export interface Difference {
  readonly name: string;
  /** Which messages. */
  readonly where: string;
  readonly why: string;
  /** Messages of upstream that ours never sends. */
  readonly omits?: (one: RecordedMessage) => boolean;
  /** Messages that only ours sends. */
  readonly adds?: (one: OwnMessage) => boolean;
  /** Messages that go by the clock: as many as the time gives, each like those of the recording. */
  readonly repeats?: (message: Message) => boolean;
  /** Takes the difference out of both contents. Whatever else is in them stays. */
  readonly rewrites?: (contents: Contents, pair: PairedMessages) => Contents;
}
