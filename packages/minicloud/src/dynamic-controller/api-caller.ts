import { Agent, request } from 'node:https';
import { isFields, type Status } from '@edge/protocol';
import { minicloudError, MinicloudErrors } from '../errors.js';
import type { ApiRequest } from './api-request.js';

/** Longer than a node waits for an answer. */
const PATIENCE_MS = 30_000;

/** Where the API is and who asks. */
export interface ApiAccess {
  /** `https://host:port`, asked for at each call: the port is known once the API listens. */
  readonly url: () => string;
  /** PEM of the API's authority. */
  readonly authorityPem: string;
  readonly token: string;
}

/** The API refused; the error has the API's Status. */
export class ApiRefusal extends Error {
  readonly #status: Status;

  constructor(status: Status) {
    super(status.message);
    this.#status = status;
  }

  toStatus(): Status {
    return this.#status;
  }
}

/** Calls the API as an administrator over HTTPS, as CloudCore's dynamic controller does. */
export class ApiCaller {
  readonly #access: ApiAccess;
  readonly #agent: Agent;

  constructor(access: ApiAccess) {
    this.#access = access;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ca: access.authorityPem });
  }

  /**
   * The text of the answer.
   * @throws ApiRefusal with the API's Status; EdgeError `minicloud.not-done` when there is no answer, or a refusal without a Status
   */
  async call(asked: ApiRequest): Promise<string> {
    const { code, text } = await this.#exchange(asked);
    if (code < 400) return text;
    throw new ApiRefusal(statusIn(text) ?? { metadata: {}, status: 'Failure', message: text.trim() || `the API answered ${code}`, reason: 'InternalError', code });
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange({ method, target, body }: ApiRequest): Promise<{ code: number; text: string }> {
    const { url, token } = this.#access;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(minicloudError(MinicloudErrors.notDone, `the API could not be asked: ${error.message}`, error));
      const call = request(`${url()}${target}`, {
        method, agent: this.#agent, signal: AbortSignal.timeout(PATIENCE_MS),
        headers: {
          Accept: 'application/json', Authorization: `Bearer ${token}`, 'User-Agent': 'cloudcore',
          ...(body === undefined ? {} : { 'Content-Type': body.type, 'Content-Length': Buffer.byteLength(body.text) }),
        },
      }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => resolve({ code: response.statusCode ?? 500, text: Buffer.concat(chunks).toString('utf8') }));
      });
      call.on('error', fail);
      call.end(body?.text);
    });
  }
}

function statusIn(text: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) && value.kind === 'Status' ? (value as unknown as Status) : undefined;
  } catch {
    return undefined;
  }
}
