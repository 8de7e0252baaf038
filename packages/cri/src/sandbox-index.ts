/**
 * Which sandbox each container belongs to. The interface tells it in lists, but not in the status of a container, and
 * asking for both each time would double the calls.
 */
export class SandboxIndex {
  #sandboxes = new Map<string, string>();

  get(containerId: string): string | undefined {
    return this.#sandboxes.get(containerId);
  }

  set(containerId: string, sandboxId: string): void {
    this.#sandboxes.set(containerId, sandboxId);
  }

  delete(containerId: string): void {
    this.#sandboxes.delete(containerId);
  }

  /** Learns from a list; a list of all containers also tells which ones are gone. */
  learn(containers: readonly { readonly id: string; readonly sandboxId: string }[], complete: boolean): void {
    if (complete && this.#sandboxes.size > containers.length) this.#sandboxes = new Map();
    for (const { id, sandboxId } of containers) this.#sandboxes.set(id, sandboxId);
  }
}
