import type { Name } from './names.js';

/** Types of records, by number (IANA). */
export const Types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, IXFR: 251, AXFR: 252, ANY: 255 } as const;

export const Rcodes = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5, badVersion: 16 } as const;

export const IN = 1;

/** A record that is answered. */
export type DnsRecord = { readonly name: Name; readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: Name }
  | { readonly type: 'SRV'; readonly priority: number; readonly weight: number; readonly port: number; readonly target: Name }
  | { readonly type: 'TXT'; readonly text: string }
  | { readonly type: 'SOA'; readonly primary: Name; readonly mailbox: Name; readonly serial: number; readonly minimum: number }
);

/** A question, as far as it is looked at. */
export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** As it was written. */
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** The question's bytes, which are repeated in the answer. */
  readonly question: Buffer;
  /** What the asker says of itself (RFC 6891); undefined when it says nothing. */
  readonly edns: { readonly payload: number; readonly wantsDnssec: boolean } | undefined;
}
