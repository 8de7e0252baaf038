import { storageName } from '../resource/registry.js';
import type { AdmissionHook, AdmissionRequest } from '../types/hooks.js';

/** Runs the hooks that are meant for a request, in order. The first that throws ends it. */
export class Admission {
  readonly #hooks: readonly AdmissionHook[];

  constructor(deps: { hooks: readonly AdmissionHook[] }) {
    this.#hooks = deps.hooks;
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    for (const hook of this.#meantFor(request)) await hook.mutate?.(request);
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const hook of this.#meantFor(request)) await hook.validate?.(request);
  }

  #meantFor({ type, operation, ref }: AdmissionRequest): AdmissionHook[] {
    const resource = storageName(type);
    return this.#hooks.filter((hook) => (hook.resources?.includes(resource) ?? true)
      && (hook.operations?.includes(operation) ?? true)
      && (ref.subresource === undefined || (hook.subresources?.includes(ref.subresource) ?? false)));
  }
}
