import { encodeJson } from '@edge/protocol';

/** What a program on this node is told. `code` is upstream's way of saying how it went; the HTTP status is 200 in its cases. */
export interface Result {
  readonly status: number;
  readonly code: number;
  readonly msg: string;
  readonly body: string;
}

/** In upstream's words and cases: 200 on the outside, the code within. */
export function told(code: number, msg: string, body = ''): Result {
  return { status: 200, code, msg, body };
}

/** What upstream does not know; the HTTP status says it too. */
export function refused(code: number, msg: string): Result {
  return { status: code, code, msg, body: '' };
}

/** The body of the HTTP answer, as Go writes it. */
export function encodeResult({ code, msg, body }: Result): string {
  return encodeJson({ code, msg, body });
}
