import type { ReactNode } from 'react';
import classes from './JobPage.module.css';

/** A line of what is known of a job. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
