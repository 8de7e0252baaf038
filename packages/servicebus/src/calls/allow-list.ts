import type { Target } from './target.js';

/** One line of the list: ports, and a path below which all may be reached. */
export interface AllowedTarget {
  readonly first: number;
  readonly last: number;
  /** Empty: all paths. */
  readonly path: string;
}

/** A port of the agent itself, and what it is. */
export interface OwnPort {
  readonly port: number;
  readonly what: string;
}

/** What rules may reach on this node. */
export interface AllowList {
  /** Empty: everything but the agent's own ports. */
  readonly allowed: readonly AllowedTarget[];
  readonly own: readonly OwnPort[];
}

const LINE = /^(\d{1,5})(?:-(\d{1,5}))?(\/\S*)?$/;
/** In what is compared with a path, nothing may stand that a service could read as another path. */
const AMBIGUOUS = /%(?:25)*(?:2e|2f|5c|00)|\\|\/\.{1,2}(?:[/;]|%(?:25)*3b|$)|\/\//i;

/** Reads `9000`, `9000-9010` or `9000/api`; undefined when it is none of these. */
export function parseAllowed(line: string): AllowedTarget | undefined {
  const match = LINE.exec(line.trim());
  const first = Number(match?.[1]);
  const last = match?.[2] === undefined ? first : Number(match[2]);
  if (match === null || first < 1 || last > 65_535 || last < first) return undefined;
  return { first, last, path: (match[3] ?? '').replace(/\/+$/, '') };
}

/** Why a call is refused, in words for whoever wrote the rule; undefined when it may pass. */
export function refusal({ allowed, own }: AllowList, target: Target): string | undefined {
  const fitting = allowed.filter(({ first, last }) => target.port >= first && target.port <= last);
  const self = own.find(({ port }) => port === target.port);
  // Named by itself, an own port is meant; within a range it came along.
  if (self !== undefined && !fitting.some(({ first, last }) => first === last)) {
    return `port ${target.port} of this node is ${self.what}; rules may not reach it unless edge.serviceBus.allow names this port`;
  }
  if (allowed.length === 0) return undefined;
  if (fitting.length === 0) return `port ${target.port} of this node is not in edge.serviceBus.allow`;
  const path = target.path.split('?', 1)[0] as string;
  const covers = fitting.some((entry) => entry.path === '' || (!AMBIGUOUS.test(path) && (path === entry.path || path.startsWith(`${entry.path}/`))));
  return covers ? undefined : `path ${path.slice(0, 200)} on port ${target.port} of this node is not in edge.serviceBus.allow`;
}
