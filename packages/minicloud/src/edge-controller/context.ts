import type { Logger } from '@edge/core';
import type { Message, ResourcePath } from '@edge/protocol';
import type { ClientSource, Clients } from '../objects.js';
import type { TokenIssuer } from '../api/service-account-tokens.js';
import type { OwnWrites } from './own-writes.js';
import type { ServingCertificates } from './serving-certificates.js';

/** What every handler may use. */
export interface HandlerContext {
  readonly clients: Clients;
  readonly source: ClientSource;
  readonly tokens: TokenIssuer;
  readonly ownWrites: OwnWrites;
  readonly serving: ServingCertificates;
  /** Whether a node may write only what is its own. */
  readonly authorize: boolean;
  /** PEM of the API's authority. */
  readonly authorityPem: string;
  /** Address that goes into the nodes' annotation `cloudcore`. */
  readonly cloudAddress: string;
  /** Sends the node and its pods again, acknowledged before or not: the node may have lost its database. */
  readonly sendAgain: (node: string) => void;
  readonly log: Logger;
}

/** One message of a node with its resource taken apart. */
export interface Request {
  readonly node: string;
  readonly message: Message;
  readonly path: ResourcePath;
}

/** Handles one kind of message; gives the answer, if there is one. */
export type Handler = (request: Request, context: HandlerContext) => Promise<Message | undefined>;
