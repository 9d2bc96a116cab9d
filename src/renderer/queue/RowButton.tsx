import type { MouseEvent, ReactNode } from 'react';
import classes from './Row.module.css';

/** A small button with a sign. One plain element: hundreds of them come and go while a long queue is scrolled. */
export function RowButton(props: {
  label: string;
  title?: string;
  tabIndex: 0 | -1;
  onClick(event: MouseEvent<HTMLButtonElement>): void;
  /** Best the same element every time. */
  children: ReactNode;
}) {
  const { label, title = label, tabIndex, onClick, children } = props;
  return (
    <button
      type="button"
      className={classes.button}
      tabIndex={tabIndex}
      onClick={onClick}
      aria-label={label}
      title={title}
    >
      {children}
    </button>
  );
}
