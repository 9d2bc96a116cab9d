import { Button, Slider } from '@mantine/core';
import { useState } from 'react';
import { DEFAULT_GOALS, FULL_GOAL, GOAL_MEANINGS, GOALS, type GoalWeights } from '../../domain/reward.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { setGoals } from '../machineActions.ts';
import classes from './Goals.module.css';
import { GoalsTrial } from './GoalsTrial.tsx';

const NAMES: Readonly<Record<keyof GoalWeights, string>> = {
  completion: t('Soon over'),
  utilisation: t('No idle GPUs'),
  fairness: t('Fair to users'),
  energy: t('Little energy'),
};

/** What the policy strives for, a slider for each goal. It holds from the next decision on. */
export function Goals({ goals, heeded }: { readonly goals: GoalWeights; readonly heeded: boolean }) {
  const [draft, setDraft] = useState<Partial<GoalWeights>>({});
  /** What is only tried, and not set; null: sliders set at once. */
  const [tried, setTried] = useState<Partial<GoalWeights> | null>(null);
  const changed = GOALS.some((goal) => goals[goal] !== DEFAULT_GOALS[goal]);
  return (
    <section aria-label={t('Goals')}>
      <h2 className={classes.title}>
        {t('Goals')}
        {changed && (
          <Button size="compact-xs" variant="subtle" onClick={() => void setGoals(DEFAULT_GOALS)}>
            {t('as at first')}
          </Button>
        )}
      </h2>
      {GOALS.map((goal) => {
        const name = NAMES[goal];
        return (
          <div key={goal} className={classes.goal} title={engineText(GOAL_MEANINGS[goal])}>
            <span>{name}</span>
            <output>{(draft[goal] ?? goals[goal]).toFixed(2)}</output>
            <Slider
              className={classes.slider}
              thumbLabel={t('{{name}}, 0 to {{FULL_GOAL}}: {{a}}', {
                name,
                FULL_GOAL,
                a: engineText(GOAL_MEANINGS[goal]),
              })}
              label={null}
              size="sm"
              min={0}
              max={FULL_GOAL}
              step={0.05}
              value={draft[goal] ?? goals[goal]}
              onChange={(value) => setDraft((now) => ({ ...now, [goal]: value }))}
              onChangeEnd={(value) => {
                if (tried !== null) setTried({ ...tried, [goal]: value });
                else
                  void setGoals({ [goal]: value }).finally(() =>
                    setDraft(({ [goal]: _over, ...rest }) => rest),
                  );
              }}
            />
          </div>
        );
      })}
      {tried === null ? (
        <Button size="compact-xs" variant="default" onClick={() => setTried({})}>
          {t('Try others first')}
        </Button>
      ) : (
        <GoalsTrial
          tried={tried}
          onEnd={(set) => {
            if (set) void setGoals(tried);
            setTried(null);
            setDraft({});
          }}
        />
      )}
      {!heeded && <p className="dim">{t('This policy goes by its own rule and not by goals.')}</p>}
    </section>
  );
}
