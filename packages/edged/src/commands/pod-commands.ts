import { errorText } from '@edge/core';
import { isFields, type Message } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { PodLabels } from '../plan/identity.js';
import { needRuntime, podOf, runningContainer, type PodHost } from '../server/pod-host.js';

/** Upstream's patience with a container that is restarted, and with a command. */
const STOP_SECONDS = 3;
const EXEC_SECONDS = 10;

/** What is not empty of upstream's answers, by upstream's names, the capital letter included. */
type Answer = Readonly<Record<string, readonly string[]>>;

/** What somebody at the node asks to be done to running pods. [local-api-2.4] */
export class PodCommands {
  readonly #host: PodHost;

  constructor(deps: { host: PodHost }) {
    this.#host = deps.host;
  }

  /**
   * Stops the containers of pods; whether they start again is the pods' restart policy.
   * @param content `{namespace, pods}`
   * @returns `{errMessages, LogMessages}`, without those that are empty
   * @throws EdgeError `edged.bad-answer` for another content
   */
  async restart({ content }: Message, signal: AbortSignal): Promise<Answer> {
    const { namespace, pods } = isFields(content) ? content : {};
    if (typeof namespace !== 'string' || !Array.isArray(pods)) throw edgedError('edged.bad-answer', 'a restart needs a namespace and a list of pods');
    const errors: string[] = [];
    const told: string[] = [];
    for (const name of pods.map(String)) {
      try {
        await this.#stop(namespace, name, signal);
        told.push(`the containers of pod ${namespace}/${name} were stopped; its restart policy decides whether they start again`);
      } catch (error) {
        errors.push(`pod ${namespace}/${name} could not be restarted: ${errorText(error)}`);
      }
    }
    return filled({ errMessages: errors, LogMessages: told });
  }

  /**
   * Runs a command in a container to its end, 10 s at most.
   * @param content `{namespace, pod, container, command}`
   * @returns `{runOutMessages, runErrMessages, errMessages}`, without those that are empty
   * @throws EdgeError `edged.bad-answer` for another content
   */
  async exec({ content }: Message, signal: AbortSignal): Promise<Answer> {
    const { namespace, pod, container, command } = isFields(content) ? content : {};
    if (typeof namespace !== 'string' || typeof pod !== 'string' || typeof container !== 'string' || !Array.isArray(command)) {
      throw edgedError('edged.bad-answer', 'a command needs a namespace, a pod, a container and its words');
    }
    try {
      const id = await runningContainer(this.#host, podOf(this.#host, { params: { ns: namespace, pod } }), container, signal);
      const { stdout, stderr, exitCode } = await needRuntime(this.#host).execSync(id, command.map(String), EXEC_SECONDS, signal);
      const failed = exitCode === 0 ? [] : [`command terminated with exit code ${exitCode}`];
      return filled({ runOutMessages: textOf(stdout), runErrMessages: textOf(stderr), errMessages: failed });
    } catch (error) {
      return { errMessages: [errorText(error)] };
    }
  }

  async #stop(namespace: string, pod: string, signal: AbortSignal): Promise<void> {
    const runtime = needRuntime(this.#host);
    const running = await runtime.listContainers({ state: 'running', labels: { [PodLabels.namespace]: namespace, [PodLabels.name]: pod } }, signal);
    if (running.length === 0) throw edgedError('edged.no-container', 'nothing of it runs on this node');
    await Promise.all(running.map(({ id }) => runtime.stopContainer(id, STOP_SECONDS, signal)));
  }
}

function filled(lists: Answer): Answer {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

function textOf(output: Uint8Array): string[] {
  return output.length === 0 ? [] : [Buffer.from(output).toString('utf8')];
}
