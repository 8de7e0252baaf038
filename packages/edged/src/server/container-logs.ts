import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { errorCode, type RuntimeContainerStatus } from '@edge/core';
import type { ContainerStatus, PodStatus } from '@edge/protocol';
import { readContainerLog } from '../logs/read-container-log.js';
import { runsOf, type ActualPod } from '../plan/actual.js';
import { ApiFault } from './answer.js';
import { logQuery } from './log-query.js';
import { containerSpec, needPods, needRuntime, podOf, type PodHost } from './pod-host.js';
import type { Handler } from './router.js';

/** `/containerLogs`: what a container has written. */
export function containerLogs(host: PodHost): Handler {
  return async (request) => {
    const { params, query, signal } = request;
    const options = logQuery(query);
    const record = podOf(host, request);
    const name = params['container'] ?? '';
    if (!containerSpec(record, name)) throw new ApiFault(404, `container "${name}" not found in pod "${params['pod']}"`);
    const { previous, follow, ...what } = options;
    const actual = await needPods(host).observe(record.pod.metadata.uid ?? '', signal);
    const run = chooseRun({ status: record.status, actual, container: name, pod: params['pod'] ?? '', previous });
    const runtime = needRuntime(host);
    // Once pieces flow there is no other way to say it than to cut the connection.
    await access(run.logPath, constants.R_OK).catch(() => {
      throw new ApiFault(400, `the log of container "${name}" in pod "${params['pod']}" is not there any more (${run.logPath})`);
    });
    const pieces = readContainerLog({
      path: run.logPath,
      ...what,
      follow: follow && run.state === 'running',
      isRunning: async () => {
        try {
          return (await runtime.containerStatus(run.id, signal)).state === 'running';
        } catch (error) {
          // While the runtime is away its containers go on.
          return errorCode(error) !== 'runtime.not-found';
        }
      },
      signal,
    });
    return { body: pieces };
  };
}

export interface RunQuestion {
  readonly status: PodStatus;
  readonly actual: ActualPod;
  readonly container: string;
  readonly pod: string;
  readonly previous: boolean;
}

/**
 * The run of a container whose log is meant: the one that works, else the last that ended; `previous` the one before the
 * one that counts as current in the pod's status.
 * @throws ApiFault 400 in the words that users of kubectl know
 */
export function chooseRun({ status, actual, container, pod, previous }: RunQuestion): RuntimeContainerStatus {
  const runs = runsOf(actual, container).filter(({ startedAt }) => startedAt > 0);
  const reported = statusOf(status, container);
  if (previous) {
    const id = idOf(reported?.lastState.terminated?.containerID);
    const run = id === undefined ? endedBefore(runs, reported) : runs.find((candidate) => candidate.id === id);
    if (!run) throw new ApiFault(400, `previous terminated container "${container}" in pod "${pod}" not found`);
    return run;
  }
  const run = runs.find(({ state }) => state === 'running') ?? runs[0];
  if (run) return run;
  const waiting = reported?.state.waiting?.reason;
  if (waiting === undefined) throw new ApiFault(400, `container "${container}" in pod "${pod}" is not available`);
  throw new ApiFault(400, `container "${container}" in pod "${pod}" is waiting to start: ${WHY[waiting] ?? waiting}`);
}

/** Phrases that upstream puts in the place of the two most frequent reasons. */
const WHY: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
};

function statusOf(status: PodStatus, name: string): ContainerStatus | undefined {
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])];
  return all.find((one) => one.name === name);
}

/** The status lags behind the runtime for a moment after a restart. */
function endedBefore(runs: readonly RuntimeContainerStatus[], reported: ContainerStatus | undefined): RuntimeContainerStatus | undefined {
  const [newest, ...older] = runs;
  if (newest?.state === 'running') return older.find(({ state }) => state === 'exited');
  return reported?.state.waiting ? newest : older[0];
}

/** The runtime's id in `containerd://…`. */
function idOf(containerID: string | undefined): string | undefined {
  return containerID?.replace(/^[^:]*:\/\//, '') || undefined;
}
