import { badRequest } from '../errors.js';
import { labelValueProblem, qualifiedNameProblem } from '../resource/names.js';

export type Labels = Readonly<Record<string, string>>;

type Operator = 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';

/** One condition of a label selector; all of them must hold. */
export interface LabelRequirement {
  key: string;
  operator: Operator;
  values: readonly string[];
}

/** The object form, as in `spec.selector` of a Deployment. */
export interface LabelSelectorObject {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

const TOKEN = /\s*(!=|==|[=!,()<>]|[^\s=!,()<>]+)/y;

function tokens(text: string): string[] {
  const list: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      if (text.slice(at).trim() === '') break;
      throw badRequest(`label selector ${JSON.stringify(text)}: cannot read from character ${at}`);
    }
    list.push(match[1] ?? '');
  }
  return list;
}

const isWord = (token: string | undefined): token is string => token !== undefined && !/^(!=|==|[=!,()<>])$/.test(token);

/** Reads the text form (`a=b,c!=d,e in (f,g),h notin (i),j,!k,l>3`). Throws BadRequest with the place of the mistake. */
export function parseLabelSelector(text: string): LabelRequirement[] {
  const list = tokens(text);
  const requirements: LabelRequirement[] = [];
  let at = 0;
  const fail = (expected: string): never => {
    throw badRequest(`label selector ${JSON.stringify(text)}: expected ${expected}, found ${list[at] === undefined ? 'the end' : JSON.stringify(list[at])}`);
  };
  const word = (what: string): string => {
    const token = list[at];
    if (!isWord(token)) return fail(what);
    at += 1;
    return token;
  };
  const optionalWord = (): string => (isWord(list[at]) ? (list[at++] as string) : '');
  const set = (): string[] => {
    if (list[at] !== '(') fail('"("');
    at += 1;
    const values = [optionalWord()];
    while (list[at] === ',') {
      at += 1;
      values.push(optionalWord());
    }
    if (list[at] !== ')') fail('"," or ")"');
    at += 1;
    return values;
  };
  const requirement = (): LabelRequirement => {
    if (list[at] === '!') {
      at += 1;
      return { key: word('a key'), operator: 'absent', values: [] };
    }
    const key = word('a key');
    const operator = list[at];
    if (operator === undefined || operator === ',') return { key, operator: 'exists', values: [] };
    at += 1;
    if (operator === '=' || operator === '==') return { key, operator: 'in', values: [optionalWord()] };
    if (operator === '!=') return { key, operator: 'notin', values: [optionalWord()] };
    if (operator === 'in' || operator === 'notin') return { key, operator, values: set() };
    if (operator === '>' || operator === '<') return { key, operator: operator === '>' ? 'gt' : 'lt', values: [word('a number')] };
    at -= 1;
    return fail('an operator (=, ==, !=, in, notin, <, >) or ","');
  };
  while (at < list.length) {
    requirements.push(checked(requirement(), text));
    if (at < list.length) {
      if (list[at] !== ',') fail('","');
      at += 1;
      if (at === list.length) fail('a key');
    }
  }
  return requirements;
}

function checked(requirement: LabelRequirement, text: string): LabelRequirement {
  const problems = [qualifiedNameProblem(requirement.key), ...requirement.values.map(labelValueProblem)];
  if (requirement.operator === 'gt' || requirement.operator === 'lt') {
    problems.push(/^-?\d+$/.test(requirement.values[0] ?? '') ? undefined : 'a number is needed beside < and >');
  }
  const problem = problems.find((p) => p !== undefined);
  if (problem !== undefined) throw badRequest(`label selector ${JSON.stringify(text)}: ${problem}`);
  return requirement;
}

/** Whether all conditions hold. An object without the key satisfies `notin` and `!=`. */
export function matchesLabels(requirements: readonly LabelRequirement[], labels: Labels | null | undefined): boolean {
  // Objects that others have stored may have `null` there.
  const given = labels ?? {};
  return requirements.every((r) => holds(r, Object.hasOwn(given, r.key) ? given[r.key] : undefined));
}

function holds(requirement: LabelRequirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'exists': return value !== undefined;
    case 'absent': return value === undefined;
    case 'in': return value !== undefined && requirement.values.includes(value);
    case 'notin': return value === undefined || !requirement.values.includes(value);
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      const limit = Number(requirement.values[0]);
      return requirement.operator === 'gt' ? Number(value) > limit : Number(value) < limit;
    }
  }
}

/** Reads the object form. An empty selector matches everything; undefined matches nothing, as upstream has it. */
export function labelSelectorOf(selector: LabelSelectorObject | undefined): (labels: Labels | undefined) => boolean {
  if (selector === undefined) return () => false;
  const names: Readonly<Record<string, Operator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: 'absent' };
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, operator: 'in', values: [value] }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = names[operator];
    if (known === undefined) throw badRequest(`label selector: unknown operator ${JSON.stringify(operator)}`);
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return (labels) => matchesLabels(requirements, labels);
}

/** The object form as text, as `status.selector` of a Scale and kubectl's wide columns show it. */
export function labelSelectorText(selector: LabelSelectorObject | Record<string, string>): string {
  const form: LabelSelectorObject = 'matchLabels' in selector || 'matchExpressions' in selector
    ? selector as LabelSelectorObject : { matchLabels: selector as Record<string, string> };
  const parts = Object.entries(form.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values } of form.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator.toLowerCase()} (${(values ?? []).join(',')})`);
  }
  return parts.join(',');
}
