/**
 * ARIA's grid, spread onto plain elements: rows that are placed one by one as they come into sight cannot be the
 * rows of a table element, and its cells are reached through what is in them.
 */
export const GRID = { role: 'grid' } as const;
export const ROWS = { role: 'rowgroup' } as const;
export const ROW = { role: 'row' } as const;
export const HEADER = { role: 'columnheader' } as const;
export const CELL = { role: 'gridcell' } as const;
