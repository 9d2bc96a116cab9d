import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { t } from '../i18n/t.ts';
import { formatCount } from '../text/formatCount.ts';
import classes from './Board.module.css';
import { GridCell, GridRow } from './Grid.tsx';
import type { Row, Section } from './queueRows.ts';

const TITLES: Readonly<Record<Section, string>> = {
  live: t('Running'),
  waiting: t('Waiting'),
  over: t('Finished lately'),
};
const NOTHING: Readonly<Record<Section, string>> = {
  live: t('Nothing runs.'),
  waiting: t('Nothing waits.'),
  over: '',
};

/** A section without rows says so in a line of its own. */
export const isBare = (row: Row, next: Row | undefined): boolean =>
  row.section !== 'over' && (next === undefined || next.kind === 'heading');

/** The title of a section with the number of its jobs. */
export function BoardHeading(props: {
  row: Extract<Row, { kind: 'heading' }>;
  next: Row | undefined;
  rowIndex: number;
  open: boolean;
  onToggle(): void;
}) {
  const { row, next, open } = props;
  const count =
    row.shown === row.count
      ? formatCount(row.count)
      : t('{{shown}} of {{n}}', { shown: formatCount(row.shown), n: formatCount(row.count) });
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const why =
    row.count === 0
      ? NOTHING[row.section]
      : row.shown === 0
        ? t('The filter hides them all.')
        : t('They are of the arrays above.');
  return (
    <GridRow aria-rowindex={props.rowIndex} tabIndex={-1}>
      <GridCell tabIndex={-1} aria-colspan={9}>
        <div className={classes.heading}>
          {row.section === 'over' ? (
            <button type="button" className={classes.toggle} onClick={props.onToggle} aria-expanded={open}>
              <Chevron size={16} aria-hidden="true" />
              {TITLES.over} <span className={classes.count}>{count}</span>
            </button>
          ) : (
            <>
              {TITLES[row.section]} <span className={classes.count}>{count}</span>
            </>
          )}
        </div>
        {isBare(row, next) && <div className={classes.none}>{why}</div>}
      </GridCell>
    </GridRow>
  );
}
