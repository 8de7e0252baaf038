import { badRequest } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { ResourceType } from '../types/resource.js';

/** One condition on a field; all of them must hold. */
export interface FieldRequirement {
  field: string;
  equal: boolean;
  value: string;
}

/** Reads `a.b=c,d==e,f!=g`; a backslash takes `,`, `=` and itself literally. Throws BadRequest. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitTerms(text).filter((term) => term !== '').map((term) => {
    const match = /^([^=!\\]+?)(!=|==|=)((?:[^\\=,]|\\[\\=,])*)$/.exec(term);
    if (match === null) throw badRequest(`field selector ${JSON.stringify(text)}: ${JSON.stringify(term)} is not field=value, field==value or field!=value`);
    return { field: (match[1] ?? '').trim(), equal: match[2] !== '!=', value: (match[3] ?? '').replace(/\\(.)/g, '$1') };
  });
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let term = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i] as string;
    if (char === '\\' && i + 1 < text.length) {
      term += char + (text[i + 1] as string);
      i += 1;
    } else if (char === ',') {
      terms.push(term);
      term = '';
    } else {
      term += char;
    }
  }
  return [...terms, term];
}

const GENERAL: Readonly<Record<string, (object: KubeObject) => string>> = {
  'metadata.name': (object) => object.metadata.name,
  'metadata.namespace': (object) => object.metadata.namespace ?? '',
};

/** A test for objects of `type`. Throws BadRequest for a field that this type cannot be selected by. */
export function compileFieldSelector(text: string, type: ResourceType): (object: KubeObject) => boolean {
  const tests = parseFieldSelector(text).map(({ field, equal, value }) => {
    const read = Object.hasOwn(GENERAL, field) ? GENERAL[field]
      : type.selectableFields !== undefined && Object.hasOwn(type.selectableFields, field) ? type.selectableFields[field] : undefined;
    if (read === undefined) {
      const known = [...Object.keys(GENERAL), ...Object.keys(type.selectableFields ?? {})];
      throw badRequest(`field selector: ${type.kind} cannot be selected by "${field}", only by ${known.join(', ')}`);
    }
    return (object: KubeObject): boolean => (read(object) === value) === equal;
  });
  return (object) => tests.every((test) => test(object));
}
