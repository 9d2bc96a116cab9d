import { useMemo } from 'react';
import type { ScoreCalibration as Calibration } from '../../domain/scoreCalibration.ts';
import { client } from '../connection.ts';
import { locale, t } from '../i18n/t.ts';
import { LineChart, type Lines } from '../plot/LineChart.tsx';
import { visibleText } from '../text/visibleText.ts';
import { type Poll, usePolled } from '../usePolled.ts';

/** What the learned policy's scores foretold against what came. */
export function ScoreCalibration() {
  const poll = useMemo(
    (): Poll<Calibration> => ({
      everyMs: 30_000,
      read: (signal) => client().scheduler.calibration(undefined, { signal }),
      newsOf: ({ decisions, pending, came }) => `${decisions} ${pending} ${came}`,
      goesOn: () => true,
    }),
    [],
  );
  const { value, trouble } = usePolled(poll);
  const chart = useMemo(() => (value === null ? null : chartOf(value)), [value]);
  if (trouble !== null) return <p className="trouble">{visibleText(trouble)}</p>;
  if (value === null || chart === null) return <p className="dim">…</p>;
  if (value.bins.length === 0)
    return (
      <p className="dim">
        {t(
          'Too few decisions of the learned policy to compare: what they foretold is held against what came.',
        )}
      </p>
    );
  return (
    <>
      <LineChart chart={chart} />
      <p className="dim">
        {t('Cost of the half hour ahead after {{n}} decisions, off by {{error}} on average', {
          n: value.decisions.toLocaleString(locale),
          error: value.error?.toPrecision(2) ?? '–',
        })}
      </p>
    </>
  );
}

function chartOf({ bins }: Calibration): Lines {
  return {
    name: t('cost that came'),
    unit: t('cost foretold'),
    at: bins.map(({ foretold }) => foretold),
    lines: [
      { name: t('came'), values: bins.map(({ came }) => came) },
      { name: t('as foretold'), values: bins.map(({ foretold }) => foretold) },
      { name: 'p10', values: bins.map(({ p10 }) => p10) },
      { name: 'p90', values: bins.map(({ p90 }) => p90) },
    ],
  };
}
