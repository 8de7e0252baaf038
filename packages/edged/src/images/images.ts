import { errorText, isAbort, type ContainerRuntime, type RuntimeImage } from '@edge/core';
import type { Container, ContainerStatus, Pod } from '@edge/protocol';
import { CannotStart } from '../errors.js';
import type { PodEvent } from '../plan/event.js';
import type { Credentials } from './credentials.js';
import { parseImageName, type ImageName } from './image-name.js';
import { PullBackOff } from './pull-back-off.js';
import { isUnreachable, pullReason } from './pull-error.js';
import type { PulledImage, PullQueue } from './pull-queue.js';

/** Provides the images of containers. */
export interface ImageProvider {
  /**
   * The image of a container as its pull policy wants it.
   * @param say events about the container, without field path
   * @throws CannotStart with the waiting reason; EdgeError `core.aborted`
   */
  provide(pod: Pod, container: Container, say: (event: PodEvent) => void, signal: AbortSignal): Promise<RuntimeImage>;
  /** The pod is gone. */
  forget(uid: string): void;
}

export interface ImagesDeps {
  readonly runtime: ContainerRuntime;
  readonly queue: PullQueue;
  readonly credentials: Credentials;
}

/** How long `ErrImagePull` stands before the status says that the next try has to wait. */
const TOLD_MS = 2_000;
/** A registry that gave no answer is left alone for so long by containers that can do without. */
const UNREACHABLE_MS = 30_000;

export class Images implements ImageProvider {
  readonly #deps: ImagesDeps;
  readonly #backOff = new PullBackOff();
  /** Registries that gave no answer, and until when that counts, on the clock that nobody sets. */
  readonly #unreachable = new Map<string, number>();

  constructor(deps: ImagesDeps) {
    this.#deps = deps;
  }

  async provide(pod: Pod, container: Container, say: (event: PodEvent) => void, signal: AbortSignal): Promise<RuntimeImage> {
    const name = nameOf(container);
    const present = await this.#status(name.asked, signal);
    const policy = container.imagePullPolicy ?? (name.tag === 'latest' ? 'Always' : 'IfNotPresent');
    if (present && policy !== 'Always') {
      say(normal('Pulled', `Container image "${container.image}" already present on machine`));
      return present;
    }
    if (policy === 'Never') throw new CannotStart('ErrImageNeverPull', `Container image "${container.image}" is not present with pull policy of Never`);
    const trusted = present !== undefined && hasRun(pod, container, present) ? present : undefined;
    const quiet = (this.#unreachable.get(name.registry) ?? 0) > performance.now();
    if (trusted && quiet) return withoutAsking(trusted, name, say);
    try {
      return await this.#pull(pod, name, say, signal);
    } catch (error) {
      if (!(error instanceof CannotStart) || !trusted || !isUnreachable(error)) throw error;
      return withoutAsking(trusted, name, say);
    }
  }

  forget(uid: string): void {
    this.#backOff.forget(uid);
  }

  async #status(image: string, signal: AbortSignal): Promise<RuntimeImage | undefined> {
    try {
      return await this.#deps.runtime.imageStatus(image, signal);
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new CannotStart('ImageInspectError', `Failed to inspect image "${image}": ${errorText(error)}`, { cause: error });
    }
  }

  async #pull(pod: Pod, name: ImageName, say: (event: PodEvent) => void, signal: AbortSignal): Promise<RuntimeImage> {
    const { queue, credentials } = this.#deps;
    const uid = pod.metadata.uid ?? '';
    const missing = (secrets: readonly string[]): void =>
      say(warning('FailedToRetrieveImagePullSecret', `Unable to retrieve some image pull secrets (${secrets.join(', ')}); attempting to pull the image may not succeed.`));
    const auths = await credentials.for(pod, name, missing, signal);
    // With other credentials it is another pull, which need not wait.
    const key = JSON.stringify([name.asked, auths]);
    const failure = this.#backOff.pending(uid, key, Date.now());
    if (failure) {
      say(normal('BackOff', `Back-off pulling image "${name.asked}"`));
      throw backOff(name, failure.text, failure.until);
    }
    say(normal('Pulling', `Pulling image "${name.asked}"`));
    const begun = performance.now();
    try {
      const pulled = await queue.pull(name.asked, auths, signal);
      const image = (await this.#status(pulled.ref, signal)) ?? { id: pulled.ref, tags: [], digests: [], sizeBytes: 0 };
      this.#backOff.succeeded(uid, key);
      this.#unreachable.delete(name.registry);
      say(normal('Pulled', successText(name, pulled, performance.now() - begun, image)));
      return image;
    } catch (error) {
      if (isAbort(error) || error instanceof CannotStart) throw error;
      if (isUnreachable(error)) this.#unreachable.set(name.registry, performance.now() + UNREACHABLE_MS);
      throw this.#failed(uid, key, name, error, say);
    }
  }

  /** The first failure shows its own reason for a moment. Later ones change only the text, which spares the cloud a flapping status. */
  #failed(uid: string, key: string, name: ImageName, error: unknown, say: (event: PodEvent) => void): CannotStart {
    const reason = pullReason(error);
    const text = `${reason}: ${errorText(error)}`;
    say(warning('Failed', `Failed to pull image "${name.asked}": ${errorText(error)}`));
    const { failures, until } = this.#backOff.failed(uid, key, text, Date.now());
    if (failures > 1) return backOff(name, text, until);
    return new CannotStart(reason, errorText(error), { retryAt: Date.now() + TOLD_MS });
  }
}

function nameOf({ name, image = '' }: Container): ImageName {
  try {
    return parseImageName(image);
  } catch (cause) {
    throw new CannotStart('InvalidImageName', `container ${name}: ${errorText(cause)}`, { cause });
  }
}

function backOff({ asked }: ImageName, text: string, until: number): CannotStart {
  return new CannotStart('ImagePullBackOff', `Back-off pulling image "${asked}": ${text}`, { retryAt: until });
}

/** Whether this very pod has already run this very image, so that starting it anew needs nobody's leave. */
function hasRun({ status }: Pod, { name }: Container, image: RuntimeImage): boolean {
  const reported: readonly ContainerStatus[] = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return reported.some((one) => one.name === name && (one.imageID === image.id || image.digests.includes(one.imageID)));
}

function withoutAsking(image: RuntimeImage, { asked, registry }: ImageName, say: (event: PodEvent) => void): RuntimeImage {
  say(warning('Pulled', `Registry ${registry} cannot be reached: the container starts with the image "${asked}" that it ran before`));
  return image;
}

function successText({ asked }: ImageName, { tookMs }: PulledImage, totalMs: number, { sizeBytes }: RuntimeImage): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)}s`;
  return `Successfully pulled image "${asked}" in ${seconds(tookMs)} (${seconds(totalMs)} including waiting). Image size: ${sizeBytes} bytes.`;
}

const normal = (reason: string, message: string): PodEvent => ({ type: 'Normal', reason, message });
const warning = (reason: string, message: string): PodEvent => ({ type: 'Warning', reason, message });
