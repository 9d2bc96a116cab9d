import type { ComponentProps } from 'react';

// ARIA's grid on plain elements: rows that are placed one by one as they come into sight cannot be the rows of a
// table element, and its cells are reached through what is in them.
const GRID = { role: 'grid' } as const;
const ROWS = { role: 'rowgroup' } as const;
const ROW = { role: 'row' } as const;
const HEADER = { role: 'columnheader' } as const;
const CELL = { role: 'gridcell' } as const;

export const Grid = (props: ComponentProps<'div'>) => <div {...props} {...GRID} />;
export const GridRows = (props: ComponentProps<'div'>) => <div {...props} {...ROWS} />;
export const GridRow = (props: ComponentProps<'div'>) => <div {...props} {...ROW} />;
export const GridHeader = (props: ComponentProps<'span'>) => <span {...props} {...HEADER} />;
export const GridCell = (props: ComponentProps<'span'>) => <span {...props} {...CELL} />;
