import { Checkbox } from '@mantine/core';
import { t } from '../i18n/t.ts';
import classes from './LogTail.module.css';

/** How a reader wants logs. */
export interface LogView {
  readonly wrap: boolean;
  /** The job's own colours. */
  readonly colours: boolean;
  /** Only lines in which something occurs, while something is looked for. */
  readonly only: boolean;
}

const STORED_AS = 'stint.log';
const FIRST: LogView = { wrap: false, colours: true, only: false };

/** As it was chosen last, in whatever log. */
export function storedView(): LogView {
  try {
    const { wrap, colours } = { ...FIRST, ...JSON.parse(localStorage.getItem(STORED_AS) ?? '{}') };
    return { ...FIRST, wrap: wrap === true, colours: colours !== false };
  } catch {
    // Somebody else wrote there: as if nothing had been chosen.
    return FIRST;
  }
}

export function LogOptions(props: {
  view: LogView;
  onView(view: LogView): void;
  following: boolean;
  onFollowing(on: boolean): void;
}) {
  const { view, onView, following, onFollowing } = props;
  const box = (name: keyof LogView, label: string) => (
    <Checkbox
      size="xs"
      label={label}
      checked={view[name]}
      onChange={({ currentTarget }) => {
        const next = { ...view, [name]: currentTarget.checked };
        localStorage.setItem(STORED_AS, JSON.stringify(next));
        onView(next);
      }}
    />
  );
  return (
    <div className={classes.options}>
      {box('only', t('Only these lines'))}
      {box('wrap', t('Wrap'))}
      {box('colours', t('Colours'))}
      <Checkbox
        size="xs"
        label={t('Follow')}
        checked={following}
        onChange={({ currentTarget }) => onFollowing(currentTarget.checked)}
      />
    </div>
  );
}
