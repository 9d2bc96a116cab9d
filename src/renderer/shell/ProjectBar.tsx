import { projectColour } from '../hue.ts';
import { t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import classes from './ProjectBar.module.css';

/** The project's colour as a mark beside what belongs to it. */
export function ProjectBar({ project }: { project: string }) {
  return (
    <span
      className={classes.bar}
      style={{ background: projectColour(project) }}
      title={t('project {{project}}', { project: visibleText(project) })}
      aria-hidden="true"
    />
  );
}
