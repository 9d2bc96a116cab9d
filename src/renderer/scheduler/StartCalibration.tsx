import { useMemo } from 'react';
import { client } from '../connection.ts';
import { locale, t } from '../i18n/t.ts';
import { visibleText } from '../text/visibleText.ts';
import { type Poll, usePolled } from '../usePolled.ts';
import classes from './Versions.module.css';

type Calibration = Awaited<
  ReturnType<ReturnType<typeof client>['scheduler']['expectedStarts']>
>['calibration'];

/** How often jobs started between the times that were shown, by how far ahead those were. */
export function StartCalibration() {
  const poll = useMemo(
    (): Poll<Calibration> => ({
      everyMs: 30_000,
      read: async (signal) => (await client().scheduler.expectedStarts({}, { signal })).calibration,
      newsOf: (rows) => rows.map(({ estimates, within }) => `${estimates} ${within}`).join(),
      goesOn: () => true,
    }),
    [],
  );
  const { value: rows, trouble } = usePolled(poll);
  if (trouble !== null) return <p className="trouble">{visibleText(trouble)}</p>;
  if (rows === null) return <p className="dim">…</p>;
  if (rows.every(({ estimates }) => estimates === 0))
    return (
      <p className="dim">{t('Nothing to compare yet: expected starts are held against the true ones.')}</p>
    );
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th>{t('Looked ahead')}</th>
          <th>{t('Estimates')}</th>
          <th title={t('eight in ten would be perfect')}>{t('Within early and late')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ horizon, estimates, within }) => (
          <tr key={horizon}>
            <td>{HORIZONS[horizon]}</td>
            <td className={classes.number}>{estimates.toLocaleString(locale)}</td>
            <td className={classes.number}>
              {within === null ? <span className="dim">–</span> : `${Math.round(100 * within)} %`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const HORIZONS: Readonly<Record<Calibration[number]['horizon'], string>> = {
  'under 1 min': t('under 1 min'),
  '1 to 10 min': t('1 to 10 min'),
  '10 to 60 min': t('10 to 60 min'),
  '1 to 6 h': t('1 to 6 h'),
  'over 6 h': t('over 6 h'),
};
