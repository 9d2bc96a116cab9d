import { locale, t } from '../i18n/t.ts';
import type { Mark } from '../text/terminalText.ts';
import { ansiLook } from './ansiLook.ts';
import classes from './LogLine.module.css';
import { type Span, segmentsOf } from './logSegments.ts';

/** Longer lines are cut for display; a browser lays out no line of a megabyte. */
const LINE_CHARACTERS = 4000;

/** A line with the job's own colours, and what was looked for set off. */
export function LogLine({
  text,
  marks,
  hits,
}: {
  text: string;
  marks: readonly Mark[];
  hits: readonly Span[];
}) {
  if (text === '') return ' ';
  const shown = text.length <= LINE_CHARACTERS ? text : text.slice(0, LINE_CHARACTERS);
  return (
    <>
      {marks.length === 0 && hits.length === 0
        ? shown
        : segmentsOf(shown, marks, hits).map(({ from, text: part, style, hit }) => {
            const { emphasis, front, back } = ansiLook(style);
            const className = emphasis.map((one) => classes[one]).join(' ');
            const Part = hit ? 'mark' : 'span';
            return (
              <Part key={from} className={className} data-front={front} data-back={back}>
                {part}
              </Part>
            );
          })}
      {shown !== text && (
        <span className="dim">
          {' '}
          … {(text.length - LINE_CHARACTERS).toLocaleString(locale)} {t('more characters in the file')}
        </span>
      )}
    </>
  );
}
