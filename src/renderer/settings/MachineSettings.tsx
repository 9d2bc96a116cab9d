import { NativeSelect, Switch } from '@mantine/core';
import { giveWaySchema } from '../../domain/giveWay.ts';
import { type MachineRules, machineRulesSchema } from '../../domain/machineRules.ts';
import {
  type PauseBy,
  pauseBySchema,
  type Rung,
  type ThrottleBy,
  throttleBySchema,
} from '../../domain/rungSchemas.ts';
import { formatDuration, formatMib, parseDurationS, parseMemoryMib } from '../../domain/units.ts';
import { client } from '../connection.ts';
import { t } from '../i18n/t.ts';
import { setDrain, setGiveWay } from '../machineActions.ts';
import { useMachine } from '../store/store.ts';
import { visibleText } from '../text/visibleText.ts';
import { sayTrouble } from '../toasts.tsx';
import { useAsked } from '../useAsked.ts';
import { Kept } from './Kept.tsx';
import { Privacy } from './Privacy.tsx';
import { QuietHoursList } from './QuietHoursList.tsx';
import { Group, Setting } from './Setting.tsx';
import { reader, ValueField } from './ValueField.tsx';

const askRules = () => client().settings.get();
const askRungs = () => client().system.rungs();
const readFloor = reader(
  (text) => (text === '' ? null : text === '0' ? 0 : parseMemoryMib(text, 'diskFloorMib')),
  machineRulesSchema.shape.diskFloorMib,
);
const readTimes = reader(Number, giveWaySchema.shape.maxPreemptions);
const readSpell = reader((text) => parseDurationS(text, 'minSpellS'), giveWaySchema.shape.minSpellS);

/** What the owner wants of the machine as a whole. */
export function MachineSettings() {
  const rules = useAsked(askRules);
  const rungs = useAsked(askRungs);
  const giveWay = useMachine((machine) => machine.scheduler.giveWay);
  const drained = useMachine((machine) => machine.scheduler.drainedSinceMs !== null);
  const set = async (change: Partial<MachineRules>): Promise<boolean> => {
    try {
      rules.set(await client().settings.set({ rules: change }));
      return true;
    } catch (error) {
      sayTrouble(t('the setting was not changed'), error);
      return false;
    }
  };
  const floor = rules.value?.diskFloorMib ?? null;
  return (
    <>
      <Group title={t('Starting jobs')}>
        <Setting
          label={t('Drain')}
          about={t('What runs goes on, and nothing is started until it is off again, also after a restart.')}
        >
          <Switch
            aria-label={t('Drain')}
            checked={drained}
            onChange={({ currentTarget }) => void setDrain(currentTarget.checked)}
          />
        </Setting>
        {rules.value !== null && (
          <Setting
            label={t('Disk floor')}
            words="guard space full"
            about={t(
              'Nothing starts while less is free where jobs write. Empty: 1 GiB, but at most 5 % of that disk; 0: never.',
            )}
          >
            <ValueField
              label={t('Disk floor')}
              placeholder={t('as it is best')}
              value={floor === null ? '' : floor === 0 ? '0' : formatMib(floor).replace(' ', '')}
              read={readFloor}
              onSave={(diskFloorMib) => void set({ diskFloorMib })}
            />
          </Setting>
        )}
        {rules.trouble !== null && <p className="trouble">{visibleText(rules.trouble)}</p>}
      </Group>
      {rules.value !== null && (
        <QuietHoursList saved={rules.value.quietHours} onSave={(quietHours) => set({ quietHours })} />
      )}
      <Group
        title={t('Giving way')}
        about={t(
          'What policies may do to jobs that run, so that others get their turn. What you paused goes on only when you say so.',
        )}
      >
        <Setting
          label={t('Stop restartable jobs')}
          words="preemption preempt checkpoint"
          about={t('Jobs that say so may be stopped at their checkpoint, and wait for their next turn.')}
        >
          <Switch
            aria-label={t('Stop restartable jobs')}
            checked={giveWay.preempt}
            onChange={({ currentTarget }) => void setGiveWay({ preempt: currentTarget.checked })}
          />
        </Setting>
        <Setting
          label={t('Pause other jobs')}
          words="preemption"
          about={t('Others may be paused where they stand, with their GPU memory held.')}
        >
          <Switch
            aria-label={t('Pause other jobs')}
            checked={giveWay.pause}
            onChange={({ currentTarget }) => void setGiveWay({ pause: currentTarget.checked })}
          />
        </Setting>
        <Setting
          label={t('At most')}
          words="preemption times limit"
          about={t('A job that has given way so often is left alone.')}
        >
          <ValueField
            label={t('Gives way at most')}
            unit={t('times')}
            value={String(giveWay.maxPreemptions)}
            read={readTimes}
            onSave={(maxPreemptions) => void setGiveWay({ maxPreemptions })}
          />
        </Setting>
        <Setting
          label={t('Left alone for')}
          words="preemption spell minimum"
          about={t('So long after it was started, paused or resumed, as 5min or 1h.')}
        >
          <ValueField
            label={t('Left alone for')}
            value={formatDuration(giveWay.minSpellS * 1000)}
            read={readSpell}
            onSave={(minSpellS) => void setGiveWay({ minSpellS })}
          />
        </Setting>
      </Group>
      {rules.value !== null && (
        <>
          <Privacy rules={rules.value} onSet={set} />
          <Kept rules={rules.value} onSet={set} />
          <Group title={t('Pausing')}>
            <Setting
              label={t('Pause by')}
              words="rungs freezer signals checkpoint cuda"
              about={t(
                'How a job is paused where you do not say. Which of these frees its GPU memory stands below.',
              )}
            >
              <NativeSelect
                size="xs"
                aria-label={t('Pause by')}
                data={[...pauseBySchema.options]}
                value={rules.value.pauseBy}
                onChange={({ currentTarget }) => void set({ pauseBy: currentTarget.value as PauseBy })}
              />
            </Setting>
            <Ladder rungs={rungs.value} ladder="pause" />
          </Group>
          <Group title={t('Slowing down')}>
            <Setting
              label={t('Slow down by')}
              words="rungs throttle quota nice power duty"
              about={t('How a job is slowed down where you do not say.')}
            >
              <NativeSelect
                size="xs"
                aria-label={t('Slow down by')}
                data={[...throttleBySchema.options]}
                value={rules.value.throttleBy}
                onChange={({ currentTarget }) => void set({ throttleBy: currentTarget.value as ThrottleBy })}
              />
            </Setting>
            <Ladder rungs={rungs.value} ladder="throttle" />
            <Setting
              label={t('While Stint does not run')}
              words="stopped undo keep throttle"
              about={t('What becomes of throttles, and of pauses by rules and policies.')}
            >
              <NativeSelect
                size="xs"
                aria-label={t('While Stint does not run')}
                data={[
                  { value: 'undo', label: t('jobs run as they can') },
                  { value: 'keep', label: t('what the kernel keeps stays') },
                ]}
                value={rules.value.whenStopped}
                onChange={({ currentTarget }) =>
                  void set({ whenStopped: currentTarget.value as MachineRules['whenStopped'] })
                }
              />
            </Setting>
          </Group>
        </>
      )}
    </>
  );
}

/** Which ways work on this machine, and why the others do not. */
function Ladder({ rungs, ladder }: { rungs: readonly Rung[] | null; ladder: Rung['ladder'] }) {
  return rungs
    ?.filter((one) => one.ladder === ladder)
    .map(({ rung, does, works, note }) => (
      <Setting
        key={rung}
        label={rung}
        words={`${ladder} by`}
        about={`${visibleText(does)}${note === null ? '' : `; ${visibleText(note)}`}`}
      >
        <span className={works ? undefined : 'dim'}>{works ? t('works here') : t('does not work here')}</span>
      </Setting>
    ));
}
