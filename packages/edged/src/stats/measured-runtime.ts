import type { ContainerRuntime } from '@edge/core';

/** Told of each call of the runtime when it is over. */
export type OnCall = (operation: string, seconds: number, failed: boolean) => void;

/** Names that dashboards know, where they are not those of the port in snake case. */
const NAMES: Readonly<Record<string, string>> = {
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandboxes: 'list_podsandbox',
  updateContainerResources: 'update_container',
  reopenContainerLog: 'reopen_container_log',
  imageFilesystems: 'image_fs_info',
};
/** No calls that begin and end. */
const NOT_COUNTED = new Set<PropertyKey>(['events', 'streaming', 'constructor', 'then']);

/** The same runtime, with every call counted. Members that it lacks stay absent. */
export function measuredRuntime<R extends ContainerRuntime>(runtime: R, onCall: OnCall): R {
  const wrapped = new Map<PropertyKey, unknown>();
  return new Proxy(runtime, {
    get(target, key) {
      const known = wrapped.get(key);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      // Private members are the target's alone, so it has to be `this`.
      const bound = (member as (...args: unknown[]) => unknown).bind(target);
      const seen = NOT_COUNTED.has(key) || typeof key === 'symbol' ? bound : counted(bound, operationName(key), onCall);
      wrapped.set(key, seen);
      return seen;
    },
  });
}

function counted(call: (...args: unknown[]) => unknown, operation: string, onCall: OnCall): (...args: unknown[]) => unknown {
  return (...args) => {
    const began = performance.now();
    const over = (failed: boolean): void => onCall(operation, (performance.now() - began) / 1000, failed);
    const result = call(...args);
    if (!(result instanceof Promise)) return result;
    result.then(
      () => over(false),
      () => over(true),
    );
    return result;
  };
}

export function operationName(method: string): string {
  return NAMES[method] ?? method.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
