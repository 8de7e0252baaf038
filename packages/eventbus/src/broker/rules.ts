import { eventBusError } from '../errors.js';
import { filterCovers, filtersMeet, isFilter } from '../topics.js';

/** Who a rule is asked about. */
export interface Who {
  readonly clientId: string;
  readonly user: string;
}

interface Rule {
  /** Undefined: a pattern, for everybody. Empty: for those without a user name. */
  readonly user: string | undefined;
  readonly access: 'read' | 'write' | 'readwrite' | 'deny';
  readonly filter: string;
}

/** Which topics clients may use, in the words of mosquitto's `acl_file`. What no line allows is not allowed; a `deny` counts more than all others. */
export type Rules = readonly Rule[];

const LINE = /^(topic|pattern)\s+(?:(read|write|readwrite|deny)\s+)?(\S.*)$/;

/**
 * Reads lines `user <name>`, `topic [read|write|readwrite|deny] <topic>` (for that user; before the first user: for clients without
 * one), and `pattern [read|write|readwrite|deny] <topic>` for everybody, where `%c` is the client id and `%u` the user.
 * @throws EdgeError `eventbus.bad-file` naming file and line
 */
export function parseRules(file: string, text: string): Rules {
  const rules: Rule[] = [];
  let user = '';
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const named = /^user\s+(\S.*)$/.exec(line);
    if (named !== null) {
      user = named[1] as string;
      continue;
    }
    const [, kind, access = 'readwrite', filter = ''] = LINE.exec(line) ?? [];
    if (kind === undefined || !isFilter(filter)) {
      throw eventBusError('eventbus.bad-file', `${file}, line ${at + 1} is not "user <name>", "topic [read|write|readwrite|deny] <topic>" or "pattern [read|write|readwrite|deny] <topic>": ${JSON.stringify(line.slice(0, 100))}`);
    }
    rules.push({ user: kind === 'pattern' ? undefined : user, access: access as Rule['access'], filter });
  }
  return rules;
}

/** True when the client may publish to the topic (`write`), or subscribe to everything that the filter is for (`read`). */
export function allows(rules: Rules, who: Who, access: 'read' | 'write', topic: string): boolean {
  let allowed = false;
  for (const rule of rules) {
    if (rule.user !== undefined && rule.user !== who.user) continue;
    const filter = rule.user === undefined ? filled(rule.filter, who) : rule.filter;
    if (filter === undefined) continue;
    if (rule.access === 'deny') {
      // A filter that takes in a part of what is denied is refused as well.
      if (access === 'read' ? filtersMeet(filter, topic) : filterCovers(filter, topic)) return false;
    } else if ((rule.access === 'readwrite' || rule.access === access) && filterCovers(filter, topic)) allowed = true;
  }
  return allowed;
}

/** Undefined for names that would widen the pattern. */
function filled(pattern: string, { clientId, user }: Who): string | undefined {
  let usable = true;
  const filter = pattern.replace(/%[cu]/g, (word) => {
    const value = word === '%c' ? clientId : user;
    if (value === '' || /[+#/]/.test(value)) usable = false;
    return value;
  });
  return usable ? filter : undefined;
}
