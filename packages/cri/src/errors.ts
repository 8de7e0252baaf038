import { status } from '@grpc/grpc-js';
import { EdgeError } from '@edge/core';

/** Every error code of this package. */
export const CriErrors = {
  /** No sandbox, container or image has this id. */
  notFound: 'runtime.not-found',
  /** A sandbox or container of the same name and attempt exists. */
  exists: 'runtime.exists',
  /** The image is not on the node, or the registry does not have it. */
  imageNotFound: 'runtime.image-not-found',
  /** The runtime does not understand the configuration that it was given. */
  invalidConfig: 'runtime.invalid-config',
  /** The runtime has no such call. */
  unimplemented: 'runtime.unimplemented',
  /** Nobody answers at the socket, or the connection broke during the call. It may have had its effect. */
  unavailable: 'runtime.unavailable',
  /** The runtime is there and did not answer in time. The call may have its effect later. */
  timeout: 'runtime.timeout',
  /** The container is in a state that does not allow the call. */
  wrongState: 'runtime.wrong-state',
  /** The container could not be started. */
  startFailed: 'runtime.start-failed',
  /** The command of an exec could not be started. */
  execFailed: 'runtime.exec-failed',
  /** The command of an exec did not end in time; the runtime has ended it. */
  execTimeout: 'runtime.exec-timeout',
  /** This client was disposed of. */
  closed: 'runtime.closed',
  /** Anything else that the runtime says. */
  failed: 'runtime.failed',
  /** Endpoints are unix sockets with absolute paths. */
  badEndpoint: 'runtime.bad-endpoint',
  /** The program at the socket has no container runtime interface. */
  noCri: 'runtime.no-cri',
  /** The runtime speaks an older version of the interface only. */
  wrongVersion: 'runtime.wrong-version',
  /** No socket of the usual ones has a runtime behind it. */
  noneFound: 'runtime.none-found',
} as const;

/** What went wrong in a call. `call` is its name in the interface. */
export class CriError extends EdgeError {
  override readonly name = 'CriError';
  readonly socket: string;
  readonly call: string;

  constructor(code: string, message: string, where: { readonly socket: string; readonly call: string }) {
    super(code, message);
    this.socket = where.socket;
    this.call = where.call;
  }
}

/** The outcome of a call as gRPC tells it. */
export interface RpcFailure {
  readonly code: status;
  readonly details: string;
}

const CODES = new Map<status, string>([
  [status.NOT_FOUND, CriErrors.notFound],
  [status.ALREADY_EXISTS, CriErrors.exists],
  [status.INVALID_ARGUMENT, CriErrors.invalidConfig],
  [status.UNIMPLEMENTED, CriErrors.unimplemented],
]);

/**
 * The error of a call that failed. What the runtime says is passed on in the words that users of kubelets search for
 * (`rpc error: code = NotFound desc = …`); where nobody spoke, the text names socket, call and remedy.
 */
export function callError(failure: RpcFailure, where: { readonly socket: string; readonly call: string; readonly timeoutMs: number; readonly late: boolean }): CriError {
  const { socket, call } = where;
  // containerd answers so in the first moments after its start; some versions with UNKNOWN.
  const starting = failure.details.includes('server is not initialized yet');
  if (failure.code === status.UNAVAILABLE || starting) {
    return new CriError(CriErrors.unavailable, `no container runtime answers at ${socket} (${call}): ${starting ? 'it is still starting' : faultText(failure.details)}`, where);
  }
  // A runtime can also answer that something inside it took too long; that is an answer.
  if (failure.code === status.DEADLINE_EXCEEDED && where.late) {
    return new CriError(CriErrors.timeout, `the container runtime at ${socket} did not answer ${call} within ${where.timeoutMs / 1000} s`, where);
  }
  return new CriError(answerCode(failure, call), `rpc error: code = ${goName(failure.code)} desc = ${failure.details}`, where);
}

function answerCode({ code, details }: RpcFailure, call: string): string {
  if (code === status.DEADLINE_EXCEEDED && call === 'ExecSync') return CriErrors.execTimeout;
  const known = CODES.get(code) ?? TEXTS.find(([text]) => text.test(details))?.[1];
  return known ?? (call === 'StartContainer' ? CriErrors.startFailed : CriErrors.failed);
}

/** For what containerd answers with UNKNOWN. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/\bname\b.* is reserved\b/, CriErrors.exists],
  [/ is in CONTAINER_[A-Z]+ state/, CriErrors.wrongState],
  [/OCI runtime exec failed/, CriErrors.execFailed],
];

/** What to do about a socket that cannot be used, by the platform's error code. */
const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; the runtime is not running, or listens elsewhere',
  ECONNREFUSED: 'nobody listens there; the runtime is not running',
  EACCES: 'this process may not open it; the agent has to run as root or as a member of the group that owns the socket',
  EPERM: 'this process may not open it; the agent has to run as root or as a member of the group that owns the socket',
  ENOTSOCK: 'this is not a socket',
};

/** Words for a text that holds a platform error code; without one, the text itself. */
export function faultText(details: string): string {
  const code = /\b(E[A-Z]{4,})\b/.exec(details)?.[1] ?? '';
  return FAULTS[code] ?? details;
}

/** Names of codes as gRPC for Go prints them, `NotFound` for `NOT_FOUND`. */
function goName(code: status): string {
  if (code === status.OK || code === status.CANCELLED) return code === status.OK ? 'OK' : 'Canceled';
  return (status[code] ?? `Code(${String(code)})`).toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
