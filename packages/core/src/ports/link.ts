import type { Cell, WritableCell } from '../cell.js';
import { token } from '../token.js';

/** State of the link to the cloud. */
export interface LinkStatus {
  readonly connected: boolean;
  /** Counts sessions with the cloud since the process started; 0 before the first. What was asked in an older session is not answered. */
  readonly session: number;
  /** When the state began, milliseconds since the epoch. */
  readonly since: number;
  /** Why it is down, in words for people; undefined while connected. */
  readonly reason?: string;
}

/** Written by edgehub alone. */
export type CloudLink = Cell<LinkStatus>;
export const CloudLink = token<CloudLink>('core', 'CloudLink');
/** The writer's end of `CloudLink`. */
export const CloudLinkWriter = token<WritableCell<LinkStatus>>('core', 'CloudLinkWriter');

/** What the node shows to the cloud, as PEM. */
export interface Credentials {
  readonly ca: string;
  readonly certificate: string;
  readonly privateKey: string;
  /** End of the certificate's life, milliseconds since the epoch. */
  readonly notAfter: number;
}

/** The node's credentials, undefined until there are any. Written by edgehub alone. */
export type NodeCredentials = Cell<Credentials | undefined>;
export const NodeCredentials = token<NodeCredentials>('core', 'NodeCredentials');
/** The writer's end of `NodeCredentials`. */
export const NodeCredentialsWriter = token<WritableCell<Credentials | undefined>>('core', 'NodeCredentialsWriter');
