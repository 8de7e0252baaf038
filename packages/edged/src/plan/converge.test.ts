import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodSandboxStatus, RuntimeContainerStatus } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { actualOf, NOW, run, sandbox, somePod } from '../../test/plan-kit.js';
import { containerAnnotations, containerName } from './identity.js';
import { planPod } from './plan-pod.js';
import { planRemoval, planStop } from './plan-stop.js';
import type { PodStep } from './steps.js';

/** A runtime as simple as possible. */
class Model {
  sandboxes: PodSandboxStatus[];
  containers: RuntimeContainerStatus[];
  readonly starts = new Map<string, number>();

  constructor(sandboxes: PodSandboxStatus[], containers: RuntimeContainerStatus[]) {
    this.sandboxes = sandboxes;
    this.containers = containers;
  }

  get actual() {
    return actualOf(this.sandboxes, this.containers);
  }

  apply(step: PodStep, pod: Pod, now: number): void {
    const end = (id: string): void => {
      this.containers = this.containers.map((one) => (one.id === id && one.state !== 'exited' ? { ...one, state: 'exited', exitCode: 143, finishedAt: now } : one));
    };
    switch (step.do) {
      case 'createSandbox':
        this.sandboxes.push(sandbox(step.attempt, { createdAt: now, id: `s${step.attempt}` }));
        break;
      case 'startContainer': {
        const { name } = step.container;
        this.starts.set(name, (this.starts.get(name) ?? 0) + 1);
        const newest = [...this.sandboxes].sort((a, b) => b.metadata.attempt - a.metadata.attempt)[0];
        const annotations = containerAnnotations(pod, step.container, step.restartCount, step.backoffSeconds);
        this.containers.push({ ...run(name, step.restartCount, { sandboxId: newest?.id ?? '', createdAt: now, startedAt: now }), id: `${name}-${now}-${this.containers.length}`, annotations });
        break;
      }
      case 'killContainers':
        for (const { containerId } of step.containers) end(containerId);
        break;
      case 'stopSandbox':
        for (const one of this.containers) if (one.sandboxId === step.sandboxId) end(one.id);
        this.sandboxes = this.sandboxes.map((one) => (one.id === step.sandboxId ? { ...one, state: 'notready' } : one));
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

  /** Init containers that run come to their end. */
  finishInits(inits: readonly Container[], now: number): void {
    const names = new Set(inits.filter(({ restartPolicy }) => restartPolicy === undefined).map(({ name }) => name));
    this.containers = this.containers.map((one) =>
      names.has(containerName(one)) && one.state === 'running' ? { ...one, state: 'exited', exitCode: 0, finishedAt: now } : one,
    );
  }
}

const specs = fc.record({
  restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
  regular: fc.integer({ min: 1, max: 3 }),
  inits: fc.array(fc.constantFrom(undefined, 'Always' as const), { maxLength: 3 }),
  hostNetwork: fc.constant(false),
});
const someSandboxes = fc.array(fc.record({ state: fc.constantFrom('ready' as const, 'notready' as const), hasIp: fc.boolean() }), { maxLength: 3 });
const someRuns = fc.array(
  fc.record({
    which: fc.nat({ max: 5 }),
    sandbox: fc.nat({ max: 2 }),
    state: fc.constantFrom('created' as const, 'running' as const, 'exited' as const, 'unknown' as const),
    exitCode: fc.constantFrom(0, 1),
    otherImage: fc.boolean(),
  }),
  { maxLength: 8 },
);

function build(spec: { restartPolicy: 'Always' | 'OnFailure' | 'Never'; regular: number; inits: readonly ('Always' | undefined)[] }): Pod {
  const initContainers = spec.inits.map((restartPolicy, index) => ({ name: `i${index}`, image: 'i', ...(restartPolicy ? { restartPolicy } : {}) }));
  const containers = Array.from({ length: spec.regular }, (_, index) => ({ name: `c${index}`, image: 'i' }));
  return somePod({ restartPolicy: spec.restartPolicy, initContainers, containers });
}

describe('plans', () => {
  it('[edged-6.13] from any state of the runtime a few rounds lead to a state with an empty plan, in which every container runs or may be over', () => {
    fc.assert(
      fc.property(specs, someSandboxes, someRuns, (spec, sandboxes, runs) => {
        const pod = build(spec);
        const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
        const model = new Model(
          sandboxes.map(({ state, hasIp }, index) => sandbox(index, { state, ips: hasIp ? ['10.0.0.1'] : [] })),
          runs.map(({ which, sandbox: at, state, exitCode, otherImage }, index) => {
            const { name } = all[which % all.length] as Container;
            return run(name, index, { id: `old${index}`, sandboxId: `s${at}`, state, exitCode, finishedAt: NOW - 1000, spec: { name, image: otherImage ? 'old' : 'i' } });
          }),
        );
        let now = NOW;
        let plan = planPod({ pod, actual: model.actual, now });
        for (let round = 0; round < 40; round += 1) {
          for (const step of plan.steps) model.apply(step, pod, now);
          const idle = plan.steps.length === 0;
          if (idle && plan.wakeAt === undefined) {
            const before = JSON.stringify(model.actual);
            model.finishInits(pod.spec.initContainers ?? [], now);
            if (JSON.stringify(model.actual) === before) break;
          }
          now = Math.max(now + 1000, idle ? (plan.wakeAt ?? 0) : 0);
          plan = planPod({ pod, actual: model.actual, now });
        }
        expect(plan.steps).toEqual([]);
        const running = new Set(model.containers.filter(({ state }) => state === 'running').map(containerName));
        if (spec.restartPolicy === 'Always') expect([...running].filter((name) => name.startsWith('c')).length).toBe(spec.regular);
        // Never more than one of a name at a time.
        expect(running.size).toBe(model.containers.filter(({ state }) => state === 'running').length);
      }),
      { numRuns: 2000 },
    );
  });

  it('[edged-6.14] stopping and removing leaves nothing, from any state', () => {
    fc.assert(
      fc.property(specs, someSandboxes, someRuns, fc.boolean(), (spec, sandboxes, runs, known) => {
        const pod = build(spec);
        const model = new Model(
          sandboxes.map(({ state }, index) => sandbox(index, { state })),
          runs.map(({ which, sandbox: at, state }, index) => run(`c${which}`, index, { id: `old${index}`, sandboxId: `s${at}`, state })),
        );
        for (const step of planStop(known ? pod : undefined, model.actual).steps) model.apply(step, pod, NOW);
        expect(model.containers.some(({ state }) => state === 'running')).toBe(false);
        expect(planStop(pod, model.actual).steps).toEqual([]);
        for (const step of planRemoval(model.actual)) model.apply(step, pod, NOW);
        expect([model.sandboxes, model.containers]).toEqual([[], []]);
      }),
      { numRuns: 500 },
    );
  });
});
