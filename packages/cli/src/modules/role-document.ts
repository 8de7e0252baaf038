import { isFields } from '@edge/protocol';
import { LineCounter, parseDocument, type Document } from 'yaml';

/** Which package plays a role. */
export interface RoleEntry {
  /** npm name of the package. */
  readonly package: string;
  /** Version or range that it must have; any unless given. */
  readonly version?: string;
  /** An npm installation of its own (a folder with `node_modules`), or the package's own folder. Unless given, where the agent is installed. */
  readonly folder?: string;
  /** Laid over the slice of the configuration that the module owns, key by key: `edgecore.yaml` knows keys of the built-in modules alone. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** What a role file says: entries that can be used, and what is wrong with the others. */
export interface RoleDocument {
  readonly entries: ReadonlyMap<string, RoleEntry>;
  /** With the role that it is about; without one it is about the file. */
  readonly problems: readonly { readonly role?: string; readonly text: string }[];
}

const ROLE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const KEYS = ['package', 'version', 'folder', 'settings'];
/** A real file has some hundred bytes; the limit bounds what reading it costs. */
const MAX_LETTERS = 64 * 1024;

const HEADER = ` Which package plays which role of this agent; roles that are not named here are played by the built-in modules.
 "edgecore modules" shows what runs; a change takes effect with the next start of the agent.`;

/** Reads the text of a role file. An entry that is wrong does not keep the others from being read. Pure. */
export function readRoleDocument(text: string): RoleDocument {
  const entries = new Map<string, RoleEntry>();
  const problems: { role?: string; text: string }[] = [];
  const done = { entries, problems };
  if (text.length > MAX_LETTERS) {
    problems.push({ text: `is longer than ${MAX_LETTERS} letters, it must be a short list of roles` });
    return done;
  }
  const { value, fault } = valueOf(text);
  if (fault !== undefined) {
    problems.push({ text: fault });
    return done;
  }
  if (value === null || value === undefined) return done;
  if (!isFields(value)) {
    problems.push({ text: `is ${shown(value)}, it must have the key "modules"` });
    return done;
  }
  for (const key of Object.keys(value)) if (key !== 'modules') problems.push({ text: `has the key "${key}", which means nothing; the only one is "modules"` });
  const { modules } = value;
  if (modules === null || modules === undefined) return done;
  if (!isFields(modules)) {
    problems.push({ text: `has ${shown(modules)} as "modules", it must be lines like "edgehub: package"` });
    return done;
  }
  for (const [role, raw] of Object.entries(modules)) {
    const entry = entryOf(role, raw);
    if (typeof entry === 'string') problems.push({ role, text: entry });
    else entries.set(role, entry);
  }
  return done;
}

/**
 * The text of a role file with one entry put in, or taken out with `undefined`; comments and the rest stay as they are, and so do
 * the settings of a role whose package stays the same. Pure.
 * @returns a problem in words when the text is no role file
 */
export function withRole(text: string, role: string, entry: RoleEntry | undefined): { readonly text: string } | { readonly problem: string } {
  const wrong = entry && entryOf(role, entry);
  if (typeof wrong === 'string') return { problem: wrong };
  const document = parseDocument(text, { logLevel: 'error' });
  const [error] = document.errors;
  if (error) return { problem: `is no readable YAML: ${firstLine(error.message)}` };
  if (document.contents === null) fill(document);
  const value: unknown = document.toJS();
  if (!isFields(value) || (value['modules'] !== undefined && value['modules'] !== null && !isFields(value['modules']))) return { problem: 'has not the form of a role file' };
  if (!isFields(value['modules'])) document.set('modules', document.createNode({}));
  const kept = readRoleDocument(text).entries.get(role);
  const next = entry && (kept?.package === entry.package && kept.settings !== undefined ? { settings: kept.settings, ...entry } : entry);
  if (next) document.setIn(['modules', role], Object.keys(next).length === 1 ? next.package : document.createNode({ ...next }));
  else document.deleteIn(['modules', role]);
  return { text: document.toString({ lineWidth: 0 }) };
}

function fill(document: Document): void {
  document.contents = document.createNode({ modules: {} }) as Document['contents'];
  if (document.commentBefore === null || document.commentBefore === undefined) document.commentBefore = HEADER;
}

function valueOf(text: string): { readonly value?: unknown; readonly fault?: string } {
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error', lineCounter: lines });
  const [error] = document.errors;
  if (error) return { fault: `is no readable YAML: line ${Math.max(1, lines.linePos(error.pos[0]).line)}: ${firstLine(error.message)}` };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch (cause) {
    return { fault: `is no readable YAML: ${firstLine(String(cause))}` };
  }
}

function entryOf(role: string, raw: unknown): RoleEntry | string {
  if (!ROLE.test(role)) return `"${role}" is no name of a role, it must be lower-case words joined by "-", as edgehub`;
  if (typeof raw === 'string') return PACKAGE.test(raw) ? { package: raw } : `${role} is "${raw}", it must be the npm name of a package, as "@acme/mqtt-hub"`;
  if (!isFields(raw)) return `${role} is ${shown(raw)}, it must be the npm name of a package, or { package, version, folder, settings }`;
  const unknown = Object.keys(raw).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `${role} has the key "${unknown}", there are ${KEYS.join(', ')}`;
  const { package: name, version, folder, settings } = raw;
  if (typeof name !== 'string' || !PACKAGE.test(name)) return `package of ${role} is ${shown(name)}, it must be the npm name of a package, as "@acme/mqtt-hub"`;
  if (version !== undefined && (typeof version !== 'string' || version === '')) return `version of ${role} is ${shown(version)}, it must be a text like "1.4.2"`;
  if (folder !== undefined && (typeof folder !== 'string' || folder === '')) return `folder of ${role} is ${shown(folder)}, it must be the path of an npm installation`;
  if (settings !== undefined && !isFields(settings)) return `settings of ${role} are ${shown(settings)}, they must be lines of "key: value"`;
  return { package: name, ...(version === undefined ? {} : { version }), ...(folder === undefined ? {} : { folder }), ...(settings === undefined ? {} : { settings }) };
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value)).slice(0, 80);
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/:$/, '') ?? '';
}
