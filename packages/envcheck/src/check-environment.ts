import { EnvironmentError } from './errors.js';
import { listProcesses, type ListProcesses, type RunningProcess } from './process-list.js';

export interface EnvironmentQuestion {
  /** Environment variables; `CHECK_EDGECORE_ENVIRONMENT` with exactly the value `false` skips the check. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** With the local Kubernetes API on, a kube-proxy may be wanted; upstream then does not look at all. */
  readonly metaServerEnabled: boolean;
  readonly listProcesses?: ListProcesses;
  readonly signal?: AbortSignal;
}

export type EnvironmentVerdict = 'passed' | 'skipped-by-env' | 'skipped-by-meta-server';

const VARIABLE = 'CHECK_EDGECORE_ENVIRONMENT';
/** They manage pods, addresses and the same ports, and would fight with the agent. */
const RIVALS: readonly string[] = ['kubelet', 'kube-proxy'];

/**
 * Looks whether this machine already belongs to a Kubernetes cluster.
 * Throws `EnvironmentError` `envcheck.conflicting-process` that names the processes and what to do.
 */
export async function checkEnvironment(question: EnvironmentQuestion): Promise<EnvironmentVerdict> {
  if (question.env[VARIABLE] === 'false') return 'skipped-by-env';
  if (question.metaServerEnabled) return 'skipped-by-meta-server';
  const list = question.listProcesses ?? listProcesses;
  const rivals = (await list(question.signal ?? new AbortController().signal)).filter(({ name }) => RIVALS.includes(name));
  if (rivals.length > 0) throw new EnvironmentError('envcheck.conflicting-process', conflict(rivals), rivals);
  return 'passed';
}

function conflict(rivals: readonly RunningProcess[]): string {
  const named = rivals.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
  return `${named} ${rivals.length === 1 ? 'is' : 'are'} running on this machine and would fight with edgecore over pods and addresses; stop and disable ${rivals.length === 1 ? 'it' : 'them'}, or set ${VARIABLE}=false if that is intended`;
}
