import type { TableSpec } from '@edge/core';

/** A message that waits until the cloud has read it. */
export interface OrderedRow {
  /** Place in the line; given by the queue, without reuse while the line is not empty. */
  seq: number;
  /** When it was taken, milliseconds since the epoch. */
  created: number;
  /** The frame as it is sent. */
  frame: string;
}

export const orderedTable: TableSpec<OrderedRow> = {
  name: 'edge_outbox',
  columns: { seq: 'integer', created: 'integer', frame: 'text' },
  key: ['seq'],
};

/** A message that waits until the cloud has answered it; one per key. */
export interface AnsweredRow {
  key: string;
  /** Place in the line. */
  seq: number;
  /** Id of the message; its answer names it as parent. */
  id: string;
  created: number;
  frame: string;
}

export const answeredTable: TableSpec<AnsweredRow> = {
  name: 'edge_outbox_answered',
  columns: { key: 'text', seq: 'integer', id: 'text', created: 'integer', frame: 'text' },
  key: ['key'],
};
