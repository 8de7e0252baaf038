import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuntimeContainerStatus } from '@edge/core';
import type { Container, Pod, PodStatus } from '@edge/protocol';
import { ModelRuntime } from '../../test/model-runtime.js';
import { NOW, run, sandbox, somePod } from '../../test/plan-kit.js';
import { runsOf } from './actual.js';
import { isSidecar, isTerminalPhase, plainInits, restartPolicy } from './containers.js';
import { ContainerAnnotations, containerHash, containerName } from './identity.js';
import { planPod } from './plan-pod.js';
import { planRemoval, planStop } from './plan-stop.js';
import { podStatus } from './pod-status.js';
import { sandboxServes } from './sandbox-change.js';
import type { PodPlan, PodStep } from './steps.js';

/** A pod, what the runtime has of it, and the time. */
interface World {
  pod: Pod;
  status: PodStatus;
  now: number;
  readonly runtime: ModelRuntime;
}

/** What can happen to a pod on a device. Numbers choose among what is there. */
type Happening =
  /** The agent works; it dies after so many steps, perhaps with a container made and not started. */
  | { readonly is: 'work'; readonly steps: number; readonly half: boolean }
  | { readonly is: 'exit'; readonly which: number; readonly code: number }
  | { readonly is: 'unknown'; readonly which: number }
  | { readonly is: 'lost'; readonly which: number }
  | { readonly is: 'sandbox dies'; readonly which: number }
  | { readonly is: 'sandbox loses its address' }
  | { readonly is: 'new image'; readonly which: number; readonly image: string }
  | { readonly is: 'time'; readonly seconds: number }
  /** Another agent made what it took to be missing. */
  | { readonly is: 'rival sandbox' }
  | { readonly is: 'rival container'; readonly which: number };

const nat = fc.nat({ max: 7 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('work' as const), steps: fc.constantFrom(1, 2, 3, 4, 9), half: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('exit' as const), which: nat, code: fc.constantFrom(0, 0, 1, 137) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('unknown' as const), which: nat }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('lost' as const), which: nat }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('sandbox dies' as const), which: nat }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('sandbox loses its address' as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('new image' as const), which: nat, image: fc.constantFrom('i', 'j') }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('time' as const), seconds: fc.constantFrom(1, 15, 400, -3600) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('rival sandbox' as const) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('rival container' as const), which: nat }) },
);

const pods = fc
  .record({
    policy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
    regular: fc.integer({ min: 1, max: 3 }),
    inits: fc.array(fc.constantFrom(undefined, 'Always' as const), { maxLength: 3 }),
  })
  .map(({ policy, regular, inits }) => {
    const initContainers = inits.map((restartPolicy, index) => ({ name: `i${index}`, image: 'i', ...(restartPolicy ? { restartPolicy } : {}) }));
    return somePod({ restartPolicy: policy, initContainers, containers: Array.from({ length: regular }, (_, index) => ({ name: `c${index}`, image: 'i' })) });
  });

const worlds = fc
  .tuple(pods, fc.array(happening, { maxLength: 14 }))
  .map(([pod, happenings]) => {
    const world: World = { pod, status: {}, now: NOW, runtime: new ModelRuntime() };
    for (const one of happenings) happen(world, one);
    return world;
  });

function happen(world: World, event: Happening): void {
  const { runtime } = world;
  const one = <T>(items: readonly T[], which: number): T | undefined => items[which % (items.length || 1)];
  const { running } = runtime;
  world.now += 50;
  switch (event.is) {
    case 'work': {
      const steps = look(world).steps;
      for (const step of steps.slice(0, event.steps)) runtime.apply(step, world.pod, world.now);
      const next = steps[event.steps];
      if (event.half && next?.do === 'startContainer') runtime.create(next, world.pod, world.now);
      break;
    }
    case 'exit':
      runtime.exit(one(running, event.which)?.id ?? '', event.code, world.now);
      break;
    case 'unknown':
      if (running.length > 0) runtime.forgetState(one(running, event.which)?.id ?? '');
      break;
    case 'lost':
      runtime.lose(one(runtime.containers, event.which)?.id ?? '');
      break;
    case 'sandbox dies':
      runtime.stopSandbox(one(runtime.sandboxes, event.which)?.id ?? '', world.now);
      break;
    case 'sandbox loses its address':
      runtime.sandboxes = runtime.sandboxes.map((each) => ({ ...each, ips: [] }));
      break;
    case 'new image': {
      const changed = one(allContainers(world.pod), event.which)?.name;
      const change = (container: Container): Container => (container.name === changed ? { ...container, image: event.image } : container);
      const { initContainers = [], containers } = world.pod.spec;
      world.pod = { ...world.pod, spec: { ...world.pod.spec, initContainers: initContainers.map(change), containers: containers.map(change) } };
      break;
    }
    case 'time':
      world.now += event.seconds * 1000;
      break;
    case 'rival sandbox':
      runtime.addSandbox((runtime.actual.sandboxes[0]?.metadata.attempt ?? -1) + 1, world.now);
      break;
    case 'rival container': {
      // Of those that have run: no agent starts a container before its turn.
      const container = one(world.pod.spec.containers.filter(({ name }) => runsOf(runtime.actual, name).length > 0), event.which);
      if (!container || runtime.actual.sandboxes[0]?.state !== 'ready') break;
      const restartCount = (runsOf(runtime.actual, container.name)[0]?.metadata.attempt ?? -1) + 1;
      runtime.apply({ do: 'startContainer', container, init: false, restartCount, backoffSeconds: 0 }, world.pod, world.now);
      break;
    }
  }
}

function allContainers({ spec }: Pod): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** What a worker does in a round before it acts: decide by the last status, and report. */
function look(world: World): PodPlan {
  const { runtime, now, status } = world;
  const pod = { ...world.pod, status };
  const plan = planPod({ pod, actual: runtime.actual, now });
  world.status = podStatus({ pod, actual: runtime.actual, previous: status, waiting: plan.waiting, terminating: false, hostIPs: [], runtime: 'model', now });
  return plan;
}

/** Works until nothing is left to do; the init containers of the moment succeed. `check` sees every plan before it is done. */
function settle(world: World, check: (plan: PodPlan) => void): PodPlan {
  for (let round = 0; round < 60; round += 1) {
    const plan = look(world);
    check(plan);
    for (const step of plan.steps) world.runtime.apply(step, world.pod, world.now);
    world.now += 1000;
    if (plan.steps.length > 0) continue;
    if (plan.wakeAt !== undefined) {
      world.now = Math.max(world.now, plan.wakeAt);
      continue;
    }
    const plain = new Set(plainInits(world.pod).map(({ name }) => name));
    const working = world.runtime.running.filter((one) => plain.has(containerName(one)));
    if (working.length === 0) return plan;
    for (const { id } of working) world.runtime.exit(id, 0, world.now);
  }
  throw new Error(`no end after 60 rounds: ${JSON.stringify({ ...world, runtime: world.runtime.actual })}`);
}

function kills(steps: readonly PodStep[]): string[] {
  return steps.flatMap((step) => (step.do === 'killContainers' ? step.containers.map(({ containerId }) => containerId) : []));
}

/** It works, is the last of its name, and is what the spec wants. */
function isAsWanted(world: World, container: RuntimeContainerStatus): boolean {
  const wanted = allContainers(world.pod).find(({ name }) => name === containerName(container));
  return container.state === 'running' && wanted !== undefined && container.annotations[ContainerAnnotations.hash] === containerHash(wanted) && runsOf(world.runtime.actual, wanted.name)[0]?.id === container.id;
}

function expectDesired({ pod, runtime, status }: World): void {
  const names = runtime.running.map(containerName);
  expect(new Set(names).size).toBe(names.length);
  const sandboxesAtWork = runtime.sandboxes.filter(({ state }) => state === 'ready');
  if (names.length === 0) {
    expect(isTerminalPhase(status.phase)).toBe(true);
    expect(sandboxesAtWork).toEqual([]);
    expect(restartPolicy(pod)).not.toBe('Always');
    return;
  }
  expect(sandboxServes(pod, runtime.actual)).toBe(true);
  expect(runtime.running.every(({ sandboxId, state }) => sandboxId === sandboxesAtWork[0]?.id && state === 'running')).toBe(true);
  for (const { name } of (pod.spec.initContainers ?? []).filter(isSidecar)) expect(names).toContain(name);
  for (const container of pod.spec.containers) {
    const newest = runsOf(runtime.actual, container.name)[0];
    if (newest?.state === 'running') expect(newest.annotations[ContainerAnnotations.hash]).toBe(containerHash(container));
    else if (restartPolicy(pod) === 'OnFailure') expect(newest).toMatchObject({ state: 'exited', exitCode: 0 });
    else expect([restartPolicy(pod), newest?.state]).toEqual(['Never', 'exited']);
  }
}

describe('plans', () => {
  it('[edged-70.1] from whatever happened to a pod, repeated work leads to what its spec wants and then there is nothing to do', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        expect(settle(world, () => undefined).steps).toEqual([]);
        expectDesired(world);
        const again = planPod({ pod: { ...world.pod, status: world.status }, actual: world.runtime.actual, now: world.now + 3_600_000 });
        expect([again.steps, again.wakeAt]).toEqual([[], undefined]);
      }),
      { numRuns: 1500 },
    );
  });

  it('[edged-70.2] no plan ends a container that works and is what the spec wants, as long as its sandbox serves and the pod has work', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        settle(world, ({ steps }) => {
          if (!sandboxServes(world.pod, world.runtime.actual)) return;
          const ended = new Set(kills(steps));
          const victims = world.runtime.containers.filter((one) => ended.has(one.id) && isAsWanted(world, one));
          // Sidecars and the like end with the pod: then no regular container works and none is started.
          const podEnds = steps.some((step) => step.do === 'stopSandbox') && !steps.some((step) => step.do === 'startContainer');
          const regular = new Set(world.pod.spec.containers.map(({ name }) => name));
          const wronged = victims.filter((one) => !podEnds || (regular.has(containerName(one)) && !isTerminalPhase(world.status.phase)));
          expect(wronged.map(({ id }) => id)).toEqual([]);
        });
      }),
      { numRuns: 1500 },
    );
  });

  it('[edged-70.3] a container starts only when none of its name works, init containers one after the other and before all others', () => {
    fc.assert(
      fc.property(pods, fc.array(happening, { maxLength: 14 }), (pod, happenings) => {
        const world: World = { pod, status: {}, now: NOW, runtime: new ModelRuntime() };
        const { apply } = world.runtime;
        world.runtime.apply = (step, now, at) => {
          if (step.do === 'startContainer') expectTurn(world, step.container);
          apply.call(world.runtime, step, now, at);
        };
        for (const one of happenings) if (!one.is.startsWith('rival') && one.is !== 'lost') happen(world, one);
        settle(world, () => undefined);
      }),
      { numRuns: 1000 },
    );
  });

  it('[edged-70.4] also from states that nothing explains', () => {
    const sandboxes = fc.array(fc.record({ state: fc.constantFrom('ready' as const, 'notready' as const), hasIp: fc.boolean() }), { maxLength: 3 });
    const runs = fc.array(
      fc.record({
        which: nat,
        sandbox: fc.nat({ max: 3 }),
        state: fc.constantFrom('created' as const, 'running' as const, 'exited' as const, 'unknown' as const),
        exitCode: fc.constantFrom(0, 1),
        image: fc.constantFrom('i', 'old'),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(pods, sandboxes, runs, (pod, oldSandboxes, oldRuns) => {
        const all = allContainers(pod);
        const containers = oldRuns.map(({ which, sandbox: at, state, exitCode, image }, index) => {
          const { name } = all[which % all.length] as Container;
          return run(name, index, { id: `old${index}`, sandboxId: `s${at}`, state, exitCode, finishedAt: NOW - 1000, spec: { name, image } });
        });
        const runtime = new ModelRuntime(oldSandboxes.map(({ state, hasIp }, index) => sandbox(index, { state, ips: hasIp ? ['10.0.0.1'] : [] })), containers);
        const world: World = { pod, status: {}, now: NOW, runtime };
        expect(settle(world, () => undefined).steps).toEqual([]);
        const names = runtime.running.map(containerName);
        expect(new Set(names).size).toBe(names.length);
        if (restartPolicy(pod) === 'Always') for (const { name } of pod.spec.containers) expect(names).toContain(name);
      }),
      { numRuns: 1000 },
    );
  });

  it('[edged-70.5] stopping ends everything, regular containers before sidecars, and is done then; removing leaves nothing', () => {
    fc.assert(
      fc.property(worlds, fc.boolean(), (world, known) => {
        const { pod, runtime, now } = world;
        const { steps } = planStop(known ? pod : undefined, runtime.actual);
        const kills = steps.flatMap((step) => (step.do === 'killContainers' ? step.containers : []));
        const sidecarNames = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
        if (known) {
          // All that are no sidecars together; then each sidecar by itself, the last of the spec first.
          const turn = (name: string): number => [...sidecarNames].reverse().indexOf(name);
          for (const { name, after = [] } of kills) {
            expect([...after].sort()).toEqual(kills.filter((other) => turn(other.name) < turn(name)).map(({ containerId }) => containerId).sort());
          }
        }
        for (const step of steps) runtime.apply(step, pod, now);
        expect([runtime.running, runtime.sandboxes.filter(({ state }) => state === 'ready')]).toEqual([[], []]);
        expect(planStop(pod, runtime.actual).steps).toEqual([]);
        for (const step of planRemoval(runtime.actual)) runtime.apply(step, pod, now);
        expect([runtime.sandboxes, runtime.containers]).toEqual([[], []]);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Throws when it is not this container's turn. */
function expectTurn({ pod, runtime }: World, container: Container): void {
  const { name } = container;
  expect(runtime.running.map(containerName)).not.toContain(name);
  const here = runtime.actual.sandboxes[0]?.id;
  const runsHere = (one: Container): RuntimeContainerStatus[] => runsOf(runtime.actual, one.name).filter(({ sandboxId }) => sandboxId === here);
  if (pod.spec.containers.some((one) => runsHere(one).length > 0)) return;
  const inits = pod.spec.initContainers ?? [];
  const index = inits.findIndex((one) => one.name === name);
  for (const before of index < 0 ? inits : inits.slice(0, index)) {
    if (!isSidecar(before)) expect(runsHere(before)[0] ?? { gone: before.name }).toMatchObject({ state: 'exited', exitCode: 0 });
  }
}
