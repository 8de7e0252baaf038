import { ApiFault, json, type ApiAnswer } from './answer.js';
import { containerLogs } from './container-logs.js';
import { healthz, type HealthCheck } from './health.js';
import { nodeLogs } from './node-logs.js';
import type { PodHost } from './pod-host.js';
import { pods, runningPods } from './pod-lists.js';
import { profiles } from './profile.js';
import type { ApiRoute, Handler } from './router.js';
import { attach, exec, portForward, run } from './streams.js';

export interface RouteDeps {
  readonly host: PodHost;
  readonly checks: readonly HealthCheck[];
  /** Answers of `/metrics…` and `/stats…`, by path. */
  readonly measurements: Readonly<Record<string, Handler>>;
  /** What the agent runs with, for `/configz`: upstream's `tailoredKubeletConfig`. */
  readonly kubeletConfig: Readonly<Record<string, unknown>>;
  /** Directory served as `/logs/`, and others that its links may lead to. */
  readonly nodeLogDirectories: readonly [string, ...string[]];
  readonly switches: HandlerSwitches;
}

/** Which groups of paths the configuration lets in. */
export interface HandlerSwitches {
  readonly debugging: boolean;
  readonly systemLogs: boolean;
  readonly profiling: boolean;
  readonly debugFlags: boolean;
}

const GET = ['GET'];
const POST = ['POST'];
const STREAM = ['GET', 'POST'];
const ANY = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];
const CONTAINER = ':ns/:pod/:container';
const CONTAINER_OF_UID = ':ns/:pod/:uid/:container';
const DISABLED = 'Debug endpoints are disabled.';

/** All paths of the local kubelet API. */
export function routes(deps: RouteDeps): ApiRoute[] {
  const { host, checks, measurements, switches } = deps;
  const health = healthz(checks);
  return [
    { methods: GET, path: '/healthz', handle: health },
    { methods: GET, path: '/healthz/:check', handle: health },
    { methods: GET, path: '/pods', handle: pods(host) },
    ...Object.entries(measurements).map(([path, handle]) => ({ methods: path.startsWith('/stats') ? STREAM : GET, path, handle })),
    ...(switches.debugging ? debuggingRoutes(deps) : disabled(['run', 'exec', 'attach', 'portForward', 'containerLogs', 'runningpods', 'debug/pprof', 'logs'], DISABLED)),
    ...(switches.debugFlags ? [{ methods: ['PUT'], path: '/debug/flags/v', handle: noSwitch }] : disabled(['debug/flags'], 'flags endpoint is disabled.')),
  ];
}

function debuggingRoutes({ host, kubeletConfig, nodeLogDirectories, switches }: RouteDeps): ApiRoute[] {
  const onContainer = (name: string, handle: Handler): ApiRoute[] => [
    { methods: STREAM, path: `/${name}/${CONTAINER}`, handle },
    { methods: STREAM, path: `/${name}/${CONTAINER_OF_UID}`, handle },
  ];
  return [
    { methods: GET, path: `/containerLogs/${CONTAINER}`, handle: containerLogs(host) },
    ...onContainer('exec', exec(host)),
    ...onContainer('attach', attach(host)),
    ...onContainer('run', run(host)),
    { methods: STREAM, path: '/portForward/:ns/:pod', handle: portForward(host) },
    { methods: STREAM, path: '/portForward/:ns/:pod/:uid', handle: portForward(host) },
    { methods: GET, path: '/runningpods', handle: runningPods(host) },
    { methods: GET, path: '/configz', handle: () => json({ kubeletconfig: kubeletConfig }) },
    { methods: POST, path: `/checkpoint/${CONTAINER}`, handle: noCheckpoint },
    ...(switches.systemLogs ? [{ methods: GET, path: '/logs/*path', handle: nodeLogs(nodeLogDirectories) }] : disabled(['logs'], 'logs endpoint is disabled.')),
    ...(switches.profiling ? [{ methods: GET, path: '/debug/pprof/*name', handle: profiles() }] : disabled(['debug/pprof'], 'profiling endpoint is disabled.')),
  ];
}

function disabled(names: readonly string[], why: string): ApiRoute[] {
  return names.map((name) => ({
    methods: ANY,
    path: `/${name}/*rest`,
    handle: () => {
      throw new ApiFault(405, why);
    },
  }));
}

function noCheckpoint(): ApiAnswer {
  throw new ApiFault(404, 'this agent does not take checkpoints of containers');
}

function noSwitch(): ApiAnswer {
  throw new ApiFault(501, 'the level of detail is set when the agent starts, by -v and --vmodule');
}
