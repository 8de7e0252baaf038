import { isFields } from '@edge/protocol';
import type { MeshService } from '../data/service-table.js';
import { STRATEGIES, type Strategy } from './strategy.js';

/** Annotation: one of `STRATEGIES` in place of the node's usual one. */
export const BALANCE_ANNOTATION = 'mesh.edge/balance';
/** Annotation: JSON list of routes, see `HttpRoute`. */
export const ROUTES_ANNOTATION = 'mesh.edge/http-routes';
/** Routes of one service. */
const MOST_ROUTES = 100;

/** Requests to a service that go to another one of its namespace. */
export interface HttpRoute {
  /** Lower case; `*.` in front stands for one label or more. Undefined: every host. */
  readonly host?: string;
  /** Whole segments from the start, such as `/api`. Undefined: every path. */
  readonly path?: string;
  readonly service: string;
  /** Undefined: its first TCP port. */
  readonly port?: number;
}

/** What a service asks for. */
export interface ServiceSettings {
  readonly strategy: Strategy;
  readonly routes: readonly HttpRoute[];
  /** What could not be understood, in words; the rest counts. */
  readonly mistakes: readonly string[];
}

/** What the annotations of a service ask for; what they do not say is the node's usual. [edgemesh-45] */
export function settingsOf({ annotations, namespace, name }: MeshService, usual: Strategy): ServiceSettings {
  const mistakes: string[] = [];
  const wrong = (annotation: string, value: string, right: string): void => void mistakes.push(`service ${namespace}/${name}: annotation ${annotation} is ${value.slice(0, 200)}, it must be ${right}`);
  const wish = annotations[BALANCE_ANNOTATION];
  const strategy = STRATEGIES.find((known) => known === wish);
  if (wish !== undefined && strategy === undefined) wrong(BALANCE_ANNOTATION, wish, `one of ${STRATEGIES.join(', ')}`);
  const text = annotations[ROUTES_ANNOTATION];
  const routes = text === undefined ? [] : parseRoutes(text);
  if (text !== undefined && routes === undefined) wrong(ROUTES_ANNOTATION, text, `a JSON list of at most ${MOST_ROUTES} routes such as {"host": "shop.example", "path": "/api", "service": "api", "port": 80}`);
  return { strategy: strategy ?? usual, routes: routes ?? [], mistakes };
}

function parseRoutes(text: string): readonly HttpRoute[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list) || list.length > MOST_ROUTES) return undefined;
  const routes = list.map(parseRoute);
  return routes.every((route) => route !== undefined) ? routes : undefined;
}

function parseRoute(value: unknown): HttpRoute | undefined {
  if (!isFields(value)) return undefined;
  const { host, path, service, port } = value;
  if (typeof service !== 'string' || service === '') return undefined;
  if (host !== undefined && (typeof host !== 'string' || !/^(?:\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host))) return undefined;
  if (path !== undefined && (typeof path !== 'string' || !path.startsWith('/'))) return undefined;
  if (port !== undefined && (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535)) return undefined;
  return { service, ...(host === undefined ? {} : { host: (host as string).toLowerCase() }), ...(path === undefined ? {} : { path: path as string }), ...(port === undefined ? {} : { port: port as number }) };
}

/** The route of a request: the most exact host, then the longest path; undefined when none fits. Pure. */
export function routeOf(routes: readonly HttpRoute[], host: string | undefined, target: string): HttpRoute | undefined {
  const name = (host ?? '').toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  const path = pathOf(target);
  const fitting = routes.filter((route) => fitsHost(route.host, name) && fitsPath(route.path, path));
  return fitting.sort((a, b) => rank(b) - rank(a))[0];
}

function fitsHost(wanted: string | undefined, name: string): boolean {
  if (wanted === undefined) return true;
  return wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) && name.length > wanted.length - 1 : name === wanted;
}

function fitsPath(wanted: string | undefined, path: string): boolean {
  if (wanted === undefined) return true;
  const prefix = wanted.replace(/\/+$/, '');
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Without query; a request to a proxy names the whole URL. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '') || '/';
}

function rank({ host, path = '' }: HttpRoute): number {
  const exactness = host === undefined ? 0 : host.startsWith('*.') ? host.length : 10_000;
  return exactness * 100_000 + path.length;
}
