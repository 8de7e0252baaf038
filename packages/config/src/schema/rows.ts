import { schema } from './schema.js';
import type { AnyField, Section } from './field.js';

export interface Row {
  readonly path: string;
  readonly field: AnyField;
  /** Below a section that upstream does not have. */
  readonly own: boolean;
}

/** The schema as a flat table, in its written order. */
export function rows(section: Section = schema, path = '', own = false): readonly Row[] {
  return Object.entries(section.fields).flatMap(([key, node]): readonly Row[] => {
    const below = path === '' ? key : `${path}.${key}`;
    return node.node === 'section' ? rows(node, below, own || node.own) : [{ path: below, field: node, own }];
  });
}

/** Paths of all sections and rows. */
export function paths(section: Section = schema, path = ''): readonly string[] {
  return Object.entries(section.fields).flatMap(([key, node]): readonly string[] => {
    const below = path === '' ? key : `${path}.${key}`;
    return node.node === 'section' ? [below, ...paths(node, below)] : [below];
  });
}
