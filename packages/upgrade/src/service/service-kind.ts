/** What keeps programs running on a machine: as `--service` names it. `none`: the agent is started by something else. */
export type ServiceKind = 'systemd' | 'openrc' | 'none';

export const SERVICE_KINDS: readonly ServiceKind[] = ['systemd', 'openrc', 'none'];

/** Name of the service, the same as that of KubeEdge's own agent, so that one takes the place of the other. */
export const SERVICE_NAME = 'edgecore';

/** What a machine shows of its service manager. */
export interface ServiceFacts {
  /** `/run/systemd/system` is there, which says that systemd runs and not merely lies on the disk. */
  readonly systemdRuns: boolean;
  /** `/sbin/openrc-run` is there. */
  readonly openrcInstalled: boolean;
}

/** Which one the machine has; systemd before OpenRC, whose programs some images hold unused. */
export function detectService(facts: ServiceFacts): ServiceKind {
  if (facts.systemdRuns) return 'systemd';
  return facts.openrcInstalled ? 'openrc' : 'none';
}
