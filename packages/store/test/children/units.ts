import type { TableSpec } from '@edge/core';

export interface UnitRow {
  unit: number;
  part: number;
  text: string;
}

/** Rows per unit: a unit is whole when it has all of them. */
export const PARTS = 3;

export const unitTable: TableSpec<UnitRow> = {
  name: 'edge_unit',
  columns: { unit: 'integer', part: 'integer', text: 'text' },
  key: ['unit', 'part'],
};
