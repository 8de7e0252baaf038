import type { Pod } from '@edge/protocol';
import { isOlder } from '../pods/resource-version.js';
import type { PodDirectory } from '../pods/pod-directory.js';
import type { PodStatuses } from '../pods/pod-statuses.js';
import type { PodWorker } from '../pods/pod-worker.js';
import { isStatic } from '../policy/standing.js';
import { isMirrorOf, type MirrorScene } from './plan-mirrors.js';
import { fullName } from '../plan/full-name.js';

export interface StaticPodsDeps {
  readonly pods: PodDirectory;
  readonly statuses: Pick<PodStatuses, 'unknown'>;
  /** Makes known what the API has of a pod that has this uid here. */
  readonly know: (mirror: Pod, uid: string) => void;
  /** Static pods or their mirrors have changed. */
  readonly onChange: () => void;
}

/** The pods that files of this node define, and what the API has as their images. */
export class StaticPods {
  readonly #deps: StaticPodsDeps;
  /** By uid. */
  #files: ReadonlyMap<string, Pod> = new Map();
  #whole = false;
  /** By full name. */
  readonly #mirrors = new Map<string, Pod>();

  constructor(deps: StaticPodsDeps) {
    this.#deps = deps;
  }

  /** True when all files could be read. */
  get whole(): boolean {
    return this.#whole;
  }

  /** All that files define now: what is not among it any more ends. */
  set(pods: readonly Pod[], whole: boolean): void {
    this.#files = new Map(pods.map((pod) => [pod.metadata.uid ?? '', pod]));
    this.#whole = whole;
    for (const [uid, { worker }] of this.#static()) if (!worker.removed && !this.#files.has(uid)) worker.remove();
    for (const [uid, pod] of this.#files) if (!this.#deps.pods.workers.has(uid)) this.#begin(uid, pod);
    this.#deps.onChange();
  }

  scene(): MirrorScene {
    const pods = [...this.#static().values()].map(({ pod, worker: { removed } }) => ({ pod, removed }));
    return { pods, mirrors: [...this.#mirrors.values()], whole: this.#whole };
  }

  /** A mirror as the API has it now. */
  mirrorChanged(mirror: Pod): void {
    const known = this.#mirrors.get(fullName(mirror));
    if (known && isOlder(mirror.metadata, known.metadata)) return;
    this.#mirrors.set(fullName(mirror), mirror);
    for (const [uid, { pod }] of this.#static()) if (isMirrorOf(mirror, pod)) this.#deps.know(mirror, uid);
    this.#deps.onChange();
  }

  /**
   * Something of this name is no longer in the API.
   * @param uid undefined when it is not known
   * @returns false when it is no mirror
   */
  mirrorDeleted(namespace: string, name: string, uid: string | undefined): boolean {
    const mirror = this.#mirrors.get(`${namespace}/${name}`);
    if (!mirror || (uid && mirror.metadata.uid !== uid)) return false;
    this.#mirrors.delete(fullName(mirror));
    for (const [local, { pod }] of this.#static()) if (isMirrorOf(mirror, pod)) this.#deps.statuses.unknown(local, pod);
    this.#deps.onChange();
    return true;
  }

  /** Nothing of a pod is left. When its file has come back meanwhile it begins anew. */
  gone(uid: string): void {
    const pod = this.#files.get(uid);
    if (pod) this.#begin(uid, pod);
    this.#deps.onChange();
  }

  #begin(uid: string, pod: Pod): void {
    this.#deps.statuses.unknown(uid, pod);
    const mirror = this.#mirrors.get(fullName(pod));
    if (mirror && isMirrorOf(mirror, pod)) this.#deps.know(mirror, uid);
    this.#deps.pods.add(uid, pod);
  }

  #static(): ReadonlyMap<string, { readonly pod: Pod; readonly worker: PodWorker }> {
    return new Map([...this.#deps.pods.workers].flatMap(([uid, worker]) => (worker.pod && isStatic(worker.pod) ? [[uid, { pod: worker.pod, worker }] as const] : [])));
  }
}
