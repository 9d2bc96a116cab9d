import { useEffect, useState } from 'react';
import { t } from '../i18n/t.ts';
import { sayTrouble } from '../toasts.tsx';
import classes from './DropTarget.module.css';
import { openSubmit } from './openSubmit.ts';
import { scriptsOf, taken } from './readDropped.ts';

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

/** The whole window takes scripts and folders that are dropped on it; while something is held over it, it says so. */
export function DropTarget() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    /** Elements that the pointer is in: it leaves one after it has entered the next. */
    let depth = 0;
    const enter = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const allow = (event: DragEvent): void => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      scriptsOf(taken(event.dataTransfer!)).then(
        (scripts) => {
          if (scripts.length > 0) openSubmit(null, scripts);
          else sayTrouble(t('Nothing to submit'), new Error(t('there is no script in what was dropped')));
        },
        (error: unknown) => sayTrouble(t('It could not be read'), error),
      );
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', allow);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', allow);
      window.removeEventListener('drop', drop);
    };
  }, []);
  return over ? (
    <div className={classes.over} role="status">
      {t('Drop a script or a folder of them to submit it')}
    </div>
  ) : null;
}
