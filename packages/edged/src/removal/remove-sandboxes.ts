import { errorText, type ContainerRuntime, type PodSandbox } from '@edge/core';
import { PodLabels } from '../plan/identity.js';

/** Seconds that containers get to end when the node gives up its pods. */
const GRACE_SECONDS = 10;

/** What was removed, and what was not with the reason. */
export interface Removal {
  readonly removed: readonly string[];
  readonly left: readonly string[];
}

/**
 * Ends pods and removes their sandboxes, side by side.
 * @param isOwn by uid: a runtime may serve others, too. Sandboxes without a uid are nobody's of Kubernetes and stay
 */
export async function removeSandboxes(runtime: ContainerRuntime, isOwn: (uid: string, sandbox: PodSandbox) => boolean, signal: AbortSignal): Promise<Removal> {
  const sandboxes = (await runtime.listPodSandboxes({}, signal)).filter((sandbox) => {
    const uid = sandbox.labels[PodLabels.uid];
    return uid !== undefined && uid !== '' && isOwn(uid, sandbox);
  });
  const outcomes = await Promise.all(
    sandboxes.map(async (sandbox) => {
      const name = `pod ${sandbox.metadata.namespace}/${sandbox.metadata.name}`;
      return removeSandbox(runtime, sandbox.id, signal).then(
        () => ({ name, problem: undefined }),
        (error: unknown) => ({ name, problem: errorText(error) }),
      );
    }),
  );
  return {
    removed: outcomes.flatMap(({ name, problem }) => (problem === undefined ? [name] : [])),
    left: outcomes.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`])),
  };
}

async function removeSandbox(runtime: ContainerRuntime, id: string, signal: AbortSignal): Promise<void> {
  const running = await runtime.listContainers({ sandboxId: id, state: 'running' }, signal);
  await Promise.all(running.map((container) => runtime.stopContainer(container.id, GRACE_SECONDS, signal)));
  await runtime.stopPodSandbox(id, signal);
  await runtime.removePodSandbox(id, signal);
}
