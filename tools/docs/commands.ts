/** What commands of pages may name. */
export interface Known {
  /** Scripts of the root and of packages, `npm run …`. */
  readonly scripts: ReadonlySet<string>;
  /** Names of packages' folders. */
  readonly packages: ReadonlySet<string>;
  /** Targets of nx. */
  readonly targets: ReadonlySet<string>;
  /** Programs of npm packages that are here, `npx …`. */
  readonly programs: ReadonlySet<string>;
  exists(path: string): boolean;
  /** The flags of a command of edgecore ('' is the agent itself), without dashes; undefined when there is no such command. */
  edgecoreFlags(command: string): ReadonlySet<string> | undefined;
}

/** Programs that are not the project's. */
const OTHERS = new Set('apt-get bash cat cd chmod cp crictl ctr curl date df diff dpkg du echo export git grep head ip journalctl keadm kubectl ls mkdir mosquitto_pub mosquitto_sub mv node openssl printf ps rc-service rm sed sqlite3 stat systemctl tail tar test tee umount'.split(' '));
/** What npm itself knows. */
const OF_NPM = new Set(['ci', 'install', 'i', 'pack', 'publish', 'view', 'uninstall', 'exec', 'prune']);

/** The single commands of a shell block: comments, variables in front and `sudo` are taken away. */
export function commandsIn(text: string): string[] {
  return text
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => outsideQuotes(line))
    .map((part) => part.trim().replace(/^\((.*)$/, '$1').replace(/\)$/, '').replace(/^([A-Z_]+=\S*\s+)+/, '').replace(/^sudo (-\w+ )*/, '').replace(/^([A-Z_]+=\S*\s+)+/, ''))
    .filter((part) => part !== '' && !/^[A-Za-z_]+=/.test(part));
}

/** Cuts a line at `&&`, `;` and `|` that stand in no quotes. */
function outsideQuotes(line: string): string[] {
  const masked = line.replace(/'[^']*'|"[^"]*"/g, (quoted) => '_'.repeat(quoted.length));
  const parts: string[] = [];
  let from = 0;
  for (const cut of masked.matchAll(/&&|\|\||[;|]/g)) {
    parts.push(line.slice(from, cut.index));
    from = cut.index + cut[0].length;
  }
  return [...parts, line.slice(from)];
}

/** What is wrong with a command of a page, or undefined. */
export function complaintAbout(command: string, known: Known): string | undefined {
  const words = command.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const [program = '', first = '', ...rest] = words;
  if (program === 'npm') {
    const script = first === 'run' ? rest.find((word) => !word.startsWith('-')) : first;
    if (first !== 'run' && OF_NPM.has(first)) return undefined;
    return script !== undefined && known.scripts.has(script) ? undefined : `there is no npm script "${script ?? ''}"`;
  }
  if (program === 'npx' && first === 'nx') return ofNx(rest, known);
  if (program === 'npx' && first === 'edgecore') return ofEdgecore(rest, known);
  if (program === 'npx') return known.programs.has(first) ? undefined : `"${first}" is no program of the packages here`;
  if (program === 'edgecore' || /\/\.?bin\/edgecore$/.test(program)) return ofEdgecore(words.slice(1), known);
  if (program === 'node' && first.endsWith('edgecore.mjs')) return ofEdgecore(rest, known);
  if (program === 'node' && /^(packages|tools|examples)\//.test(first)) return known.exists(first) ? undefined : `there is no ${first}`;
  if (program === 'cd' && /^(packages|examples)\//.test(first)) return known.exists(first) ? undefined : `there is no ${first}`;
  if (program === 'kubectl') return words.filter((word) => /^examples\//.test(word) && !known.exists(word)).map((path) => `there is no ${path}`)[0];
  return OTHERS.has(program) || known.exists(program) ? undefined : `"${program}" is not known; if it is a program that readers have, name it in tools/docs/commands.ts`;
}

function ofNx(words: readonly string[], known: Known): string | undefined {
  const [command = '', ...rest] = words;
  const wrong = (target: string): string | undefined => (known.targets.has(target) ? undefined : `"${target}" is no target of nx`);
  const place = (name: string): string | undefined => (known.packages.has(name.replace('@edge/', '')) ? undefined : `there is no package ${name}`);
  if (command === 'affected' || command === 'run-many') {
    const at = rest.findIndex((word) => word === '-t' || word === '--target' || word === '--targets');
    const end = rest.findIndex((word, index) => index > at && word.startsWith('-'));
    return rest.slice(at + 1, end < 0 ? undefined : end).flatMap((target) => target.split(',')).map(wrong).find((text) => text !== undefined);
  }
  if (command === 'run') {
    const [name = '', target = ''] = (rest[0] ?? '').split(':');
    return /^<.*>$/.test(name) ? wrong(target) : (place(name) ?? wrong(target));
  }
  if (['release', 'graph', 'show', 'reset'].includes(command)) return undefined;
  return wrong(command) ?? (/^<.*>$/.test(rest[0] ?? '') ? undefined : place(rest[0] ?? ''));
}

function ofEdgecore(words: readonly string[], known: Known): string | undefined {
  const named = words[0] !== undefined && /^[a-z]/.test(words[0]) ? words[0] : '';
  const flags = known.edgecoreFlags(named);
  if (flags === undefined) return `edgecore has no command "${named}"`;
  const unknown = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/^--?/, '').replace(/=.*/, '').replace(/^v\d+$/, 'v')).find((flag) => !flags.has(flag));
  return unknown === undefined ? undefined : `edgecore ${named} has no flag "${unknown}"`;
}
