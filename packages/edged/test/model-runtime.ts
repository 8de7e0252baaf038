import type { PodSandboxStatus, RuntimeContainerStatus } from '@edge/core';
import type { Pod } from '@edge/protocol';
import type { ActualPod } from '../src/plan/actual.js';
import { containerAnnotations, containerName } from '../src/plan/identity.js';
import type { PodStep } from '../src/plan/steps.js';
import { actualOf, run, sandbox } from './plan-kit.js';

/** What a runtime does with the steps of a plan, and nothing else. Names are unique in it, as in a real one. */
export class ModelRuntime {
  sandboxes: PodSandboxStatus[];
  containers: RuntimeContainerStatus[];
  /** Counts what was made, so that ids never come back. */
  #made = 0;

  constructor(sandboxes: PodSandboxStatus[] = [], containers: RuntimeContainerStatus[] = []) {
    this.sandboxes = sandboxes;
    this.containers = containers;
  }

  get actual(): ActualPod {
    return actualOf(this.sandboxes, this.containers);
  }

  get running(): RuntimeContainerStatus[] {
    return this.containers.filter(({ state }) => state === 'running' || state === 'unknown');
  }

  /** @throws Error for what a real runtime refuses: a name that is taken, a sandbox that does not work */
  apply(step: PodStep, pod: Pod, now: number): void {
    switch (step.do) {
      case 'createSandbox':
        this.addSandbox(step.attempt, now);
        break;
      case 'startContainer':
        this.create(step, pod, now);
        this.#change(this.containers.at(-1)?.id, { state: 'running', startedAt: now });
        break;
      case 'killContainers':
        for (const { containerId } of step.containers) this.exit(containerId, 143, now);
        break;
      case 'stopSandbox':
        this.stopSandbox(step.sandboxId, now);
        break;
      case 'removeContainer':
        this.containers = this.containers.filter(({ id }) => id !== step.containerId);
        break;
      case 'removeSandbox':
        this.sandboxes = this.sandboxes.filter(({ id }) => id !== step.sandboxId);
        this.containers = this.containers.filter(({ sandboxId }) => sandboxId !== step.sandboxId);
        break;
      case 'prepareVolumes':
        break;
    }
  }

  addSandbox(attempt: number, now: number): void {
    if (this.sandboxes.some(({ metadata }) => metadata.attempt === attempt)) throw new Error(`the name of sandbox ${attempt} is taken`);
    this.sandboxes.push(sandbox(attempt, { createdAt: now, id: `sandbox-${(this.#made += 1)}` }));
  }

  /** Makes a container in the newest sandbox and leaves it there, as an agent does that dies right then. */
  create({ container, restartCount, backoffSeconds }: Extract<PodStep, { do: 'startContainer' }>, pod: Pod, now: number): void {
    const newest = this.actual.sandboxes[0];
    if (newest?.state !== 'ready') throw new Error(`${container.name} has no sandbox to start in`);
    const { name } = container;
    if (this.containers.some((one) => containerName(one) === name && one.metadata.attempt === restartCount)) throw new Error(`the name of ${name} ${restartCount} is taken`);
    const made = run(name, restartCount, { id: `${name}-${(this.#made += 1)}`, sandboxId: newest.id, state: 'created', createdAt: now, startedAt: 0 });
    this.containers.push({ ...made, annotations: containerAnnotations(pod, container, restartCount, backoffSeconds) });
  }

  exit(id: string, exitCode: number, now: number): void {
    const one = this.containers.find((container) => container.id === id);
    if (one?.state === 'running' || one?.state === 'unknown') this.#change(id, { state: 'exited', exitCode, finishedAt: now });
  }

  forgetState(id: string): void {
    this.#change(id, { state: 'unknown' });
  }

  lose(id: string): void {
    this.containers = this.containers.filter((one) => one.id !== id);
  }

  /** As a crash of its first process: everything in it ends by force. */
  stopSandbox(id: string, now: number): void {
    for (const one of this.containers) if (one.sandboxId === id) this.exit(one.id, 137, now);
    this.sandboxes = this.sandboxes.map((one) => (one.id === id ? { ...one, state: 'notready' } : one));
  }

  #change(id: string | undefined, over: Partial<RuntimeContainerStatus>): void {
    this.containers = this.containers.map((one) => (one.id === id ? { ...one, ...over } : one));
  }
}
