import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { EdgeError, errorText, sleep, type CgroupDriver, type Logger, type Mount, type RuntimeHandler } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { podDirectory } from '../volumes/layout.js';
import { driverMismatch } from './driver.js';
import { podDns, type DnsSettings } from './dns.js';
import { kernelHostname } from './hostname.js';
import { HOSTS_PATH, hostsFile } from './hosts-file.js';
import type { ContainerIsolationInput, IsolatedContainer, IsolatedSandbox, Isolation } from './isolation.js';
import type { PodCgroups } from './pod-cgroups.js';
import { readResolver } from './resolver-file.js';
import { containerResources, sandboxResources, type ResourcesInput } from './resources.js';
import { runtimeHandler } from './runtime-class.js';
import { containerSecurity, sandboxSecurity, type SecuritySettings } from './security.js';
import { podSysctls } from './sysctls.js';

export interface LinuxIsolationDeps {
  readonly rootDirectory: string;
  readonly driver: CgroupDriver;
  /** Undefined when pods have no control groups of their own (`cgroupsPerQOS: false`). */
  readonly cgroups: PodCgroups | undefined;
  readonly resources: ResourcesInput;
  readonly security: SecuritySettings;
  readonly dns: DnsSettings;
  readonly nodeIPs: () => readonly string[];
  /** What the runtime has for runtime classes. */
  readonly handlers: (signal: AbortSignal) => Promise<readonly RuntimeHandler[] | undefined>;
  readonly log: Logger;
}

/** Between looks whether limits still are as they should be. */
const REFRESH_MS = 60_000;

/** Isolation by the means of Linux. */
export class LinuxIsolation implements Isolation {
  readonly #deps: LinuxIsolationDeps;

  constructor(deps: LinuxIsolationDeps) {
    this.#deps = deps;
  }

  /** Keeps the limits of all pods together up to date until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { cgroups, log } = this.#deps;
    while (cgroups && !signal.aborted) {
      await cgroups.prepare().catch((error: unknown) => log.warn('limits of all pods together cannot be set', { err: errorText(error) }));
      await sleep(REFRESH_MS, signal);
    }
  }

  async sandbox(pod: Pod, signal: AbortSignal): Promise<IsolatedSandbox> {
    const { dns: settings, cgroups, resources, nodeIPs, handlers } = this.#deps;
    const { dns, warnings } = podDns(pod, await readResolver(settings.resolverFile), nodeIPs(), settings);
    const hostname = kernelHostname(pod, settings.clusterDomain);
    const handler = pod.spec.runtimeClassName ? runtimeHandler(pod, await handlers(signal)) : undefined;
    return {
      config: {
        dns,
        ...(hostname === undefined ? {} : { hostname }),
        ...(handler === undefined ? {} : { runtimeHandler: handler }),
        linux: {
          ...(cgroups ? { cgroupParent: cgroups.parent(pod) } : {}),
          sysctls: podSysctls(pod),
          security: sandboxSecurity(pod),
          ...sandboxResources(pod, resources),
        },
      },
      warnings: warnings.map((warning) => ({ type: 'Warning', ...warning })),
    };
  }

  async prepare(pod: Pod): Promise<void> {
    await this.#deps.cgroups?.make(pod);
  }

  async container({ pod, container, image, podIPs }: ContainerIsolationInput): Promise<IsolatedContainer> {
    const { cgroups, resources, security } = this.#deps;
    const rights = containerSecurity(pod, container, image, security);
    // Somebody may have cleaned up below a pod that was taken over.
    if (cgroups && !(await cgroups.exists(pod))) await cgroups.make(pod);
    return {
      linux: { resources: containerResources(pod, container, resources), security: rights },
      mounts: await this.#hostsMount(pod, container, podIPs),
    };
  }

  explain(error: unknown): unknown {
    const advice = driverMismatch(errorText(error), this.#deps.driver);
    return advice === undefined ? error : new EdgeError('edged.cgroups', advice, { cause: error });
  }

  async release(uid: string, signal: AbortSignal): Promise<void> {
    await this.#deps.cgroups?.release(uid, signal);
  }

  async sweep(isKnown: (uid: string) => boolean, signal: AbortSignal): Promise<void> {
    await this.#deps.cgroups?.sweep(isKnown, signal);
  }

  /** Written anew before each start: aliases and addresses may have changed, and an earlier run may have written to it. */
  async #hostsMount(pod: Pod, container: Container, podIPs: readonly string[]): Promise<Mount[]> {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === HOSTS_PATH)) return [];
    const ofNode = pod.spec.hostNetwork ? await readFile(HOSTS_PATH, 'utf8') : '';
    const text = hostsFile(pod, podIPs, this.#deps.dns.clusterDomain, ofNode);
    if (text === undefined) return [];
    const directory = podDirectory(this.#deps.rootDirectory, pod.metadata.uid ?? '');
    const hostPath = `${directory}/etc-hosts`;
    await mkdir(directory, { recursive: true });
    // The same file and not a new one: other containers of the pod have it mounted.
    await writeFile(hostPath, text);
    await chmod(hostPath, 0o644);
    return [{ containerPath: HOSTS_PATH, hostPath, selinuxRelabel: true }];
  }
}
