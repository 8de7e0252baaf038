import { notServed } from './not-served.js';
import { OPENAPI_V2_PROTOBUF, openApiV2, openApiV2Protobuf, openApiV3Document, openApiV3Index, parseV3Path } from '../openapi/documents.js';
import type { ResourceRegistry } from '../resource/registry.js';
import type { VersionInfo } from '../types/server.js';
import { aggregatedDiscovery } from './accept.js';
import { aggregated, coreVersions, groupDocument, groupList, resourceList } from './discovery.js';
import type { Exchange } from './exchange.js';
import type { Route } from './path.js';
import { respond, respondText } from './respond.js';

export interface DocumentDeps {
  registry: ResourceRegistry;
  version: VersionInfo;
  checks: Readonly<Record<string, () => string | undefined>>;
}

/** Answers everything that is not a resource: discovery, OpenAPI, version, health. */
export async function answerDocument(deps: DocumentDeps, exchange: Exchange, route: Exclude<Route, { kind: 'resource' }>): Promise<void> {
  const { response } = exchange;
  switch (route.kind) {
    case 'version': return respond(response, 200, deps.version);
    case 'health': return health(deps, exchange, route);
    case 'index': return respond(response, 200, { paths: indexOf(deps.registry) });
    case 'openapi': return openApi(deps, exchange, route);
    case 'discovery': return discovery(deps, exchange, route);
  }
}

function discovery(deps: DocumentDeps, exchange: Exchange, route: Extract<Route, { kind: 'discovery' }>): Promise<void> | void {
  const { registry } = deps;
  const { response, request } = exchange;
  if (route.level === 'core' || route.level === 'groups') {
    const version = aggregatedDiscovery(request.headers.accept);
    if (version !== undefined) {
      const body = JSON.stringify(aggregated(registry, route.level === 'core', version));
      return respondText(response, 200, body, `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`);
    }
    const { localAddress = '127.0.0.1', localPort = 0 } = request.socket;
    return respond(response, 200, route.level === 'core' ? coreVersions(`${localAddress}:${localPort}`) : groupList(registry));
  }
  const document = route.level === 'group' ? groupDocument(registry, route.group) : resourceList(registry, route.group, route.version);
  if (document === undefined) throw notServed(exchange.path);
  return respond(response, 200, document);
}

function openApi(deps: DocumentDeps, exchange: Exchange, route: Extract<Route, { kind: 'openapi' }>): Promise<void> | void {
  const { response, request } = exchange;
  if (route.version === 'v2') {
    if (route.rest !== '') throw notServed(exchange.path);
    const wantsProtobuf = (request.headers.accept ?? '').includes('application/com.github.proto-openapi.spec.v2');
    return wantsProtobuf ? respondText(response, 200, openApiV2Protobuf(), OPENAPI_V2_PROTOBUF) : respond(response, 200, openApiV2());
  }
  if (route.rest === '') return respond(response, 200, openApiV3Index(deps.registry));
  const place = parseV3Path(route.rest);
  const document = place === undefined ? undefined : openApiV3Document(deps.registry, place.group, place.version);
  if (document === undefined) throw notServed(exchange.path);
  return respond(response, 200, document);
}

function health(deps: DocumentDeps, exchange: Exchange, route: Extract<Route, { kind: 'health' }>): void {
  const names = route.check === undefined ? Object.keys(deps.checks) : [route.check];
  if (route.check !== undefined && !Object.hasOwn(deps.checks, route.check)) throw notServed(exchange.path);
  const results = names.map((name) => ({ name, problem: deps.checks[name]?.() }));
  const failed = results.some(({ problem }) => problem !== undefined);
  const lines = results.map(({ name, problem }) => (problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`));
  const verbose = failed || exchange.query.has('verbose');
  const text = verbose ? `${[...lines, `${route.name} check ${failed ? 'failed' : 'passed'}`].join('\n')}\n` : 'ok';
  respondText(exchange.response, failed ? 500 : 200, text, 'text/plain; charset=utf-8');
}

function indexOf(registry: ResourceRegistry): string[] {
  const groups = registry.groups().flatMap(({ group, versions }) => [`/apis/${group}`, ...versions.map((version) => `/apis/${group}/${version}`)]);
  return ['/api', '/api/v1', '/apis', ...groups, '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'];
}
