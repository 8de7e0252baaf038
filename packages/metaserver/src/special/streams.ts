import { ApiError, badRequest, bridgeWebSocket, type CommandStreams, needsBridge, respondText, type SubresourceHandler, type SubresourceRequest } from '@edge/kubeapi';
import { Operations } from '@edge/protocol';
import { chooseContainer } from './container.js';
import type { Kubelet } from './kubelet.js';
import type { NodePods } from './node-pods.js';
import { askForUpgrade, tunnel } from './tunnel.js';

/** Upstream gives a command without streams this long; what is on top is for the way. */
const EXEC_MS = 15_000;
/** Names of the streams here and at a kubelet. */
const STREAMS = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;

interface Deps {
  readonly pods: NodePods;
  readonly kubelet: Kubelet;
}

/**
 * `pods/exec`, `pods/attach` and `pods/portforward`: SPDY/3.1 and WebSocket go through to edged as they are [metaserver-30.3], what
 * only newer clients speak is put into SPDY.
 */
export function streamHandlers(deps: Deps): SubresourceHandler[] {
  return [
    { ...streamed(deps, 'exec', execPath), stream: (asked, { response }) => runCommand(deps, asked).then((text) => respondText(response, 200, text, 'application/json')) },
    streamed(deps, 'attach', attachPath),
    streamed(deps, 'portforward', portForwardPath),
  ];
}

type PathOf = (pods: NodePods, asked: SubresourceRequest) => Promise<string>;

function streamed({ pods, kubelet }: Deps, subresource: string, pathOf: PathOf): SubresourceHandler {
  return {
    group: '', plural: 'pods', subresource,
    upgrade: async (asked, { request, socket, head }) => {
      const path = await pathOf(pods, asked);
      const endpoint = await kubelet.endpoint();
      if (!needsBridge(request)) return tunnel({ request, socket, head, path, endpoint });
      await bridgeWebSocket({
        request, socket, head, wanted: subresource === 'portforward' ? 'ports' : wantedStreams(asked.query),
        ask: (headers) => askForUpgrade(endpoint, path, headers),
      });
    },
  };
}

const execPath: PathOf = async (pods, asked) => {
  const query = streamsOf(asked.query);
  for (const word of asked.query.getAll('command')) query.append('command', word);
  return containerPath('exec', pods, asked, query);
};

const attachPath: PathOf = (pods, asked) => containerPath('attach', pods, asked, streamsOf(asked.query));

const portForwardPath: PathOf = async (pods, { ref, query, context }) => {
  await pods.ofThisNode(ref, context);
  const ports = new URLSearchParams(query.getAll('ports').concat(query.getAll('port')).map((port): [string, string] => ['port', port]));
  return `/portForward/${encodeURIComponent(ref.namespace ?? '')}/${encodeURIComponent(ref.name)}?${ports.toString()}`;
};

async function containerPath(name: string, pods: NodePods, { ref, query, context }: SubresourceRequest, streams: URLSearchParams): Promise<string> {
  const container = chooseContainer(await pods.ofThisNode(ref, context), query.get('container') ?? '');
  return `/${name}/${[ref.namespace ?? '', ref.name, container].map(encodeURIComponent).join('/')}?${streams.toString()}`;
}

function wantedStreams(query: URLSearchParams): CommandStreams {
  const on = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  return { stdin: on('stdin'), stdout: on('stdout'), stderr: on('stderr'), tty: on('tty') };
}

function streamsOf(query: URLSearchParams): URLSearchParams {
  const wanted = wantedStreams(query);
  const names = (Object.keys(STREAMS) as (keyof typeof STREAMS)[]).filter((name) => wanted[name]);
  return new URLSearchParams(names.map((name): [string, string] => [STREAMS[name], '1']));
}

/** Upstream's answer to a request for exec that is no upgrade: the command's output as a whole. */
async function runCommand({ pods, kubelet }: Deps, { verb, ref, query, context }: SubresourceRequest): Promise<string> {
  if (verb !== 'create') throw new ApiError('MethodNotAllowed', `pods/exec needs a connection upgrade or POST, ${verb} is not served`);
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
  if (query.get('tty') === 'true') throw badRequest('a terminal needs a connection upgrade, SPDY/3.1 or WebSocket');
  const container = chooseContainer(await pods.ofThisNode(ref, context), query.get('container') ?? '');
  return JSON.stringify(await kubelet.ask(Operations.update, 'pods/exec', { namespace: ref.namespace, pod: ref.name, container, command }, EXEC_MS, context.signal));
}
