import { Switch } from '@mantine/core';
import { learningLimitsSchema } from '../../domain/learning.ts';
import { t } from '../i18n/t.ts';
import { setFrozen, setLearning } from '../machineActions.ts';
import { useMachine } from '../store/store.ts';
import { Group, Setting } from './Setting.tsx';
import { reader, ValueField } from './ValueField.tsx';

const readPercent = reader(Number, learningLimitsSchema.shape.cpuPercent);

/** What learning from the machine's own decisions may take, and whether it may take charge. */
export function LearningSettings() {
  const { cpuPercent, whilePresent } = useMachine((machine) => machine.scheduler.learner.limits);
  const frozen = useMachine((machine) => machine.scheduler.promotion.frozen);
  return (
    <Group title={t('Learning')}>
      <Setting
        label={t('Of one core')}
        words="learner cpu percent budget"
        about={t('What learning may take at most; 0: it learns nothing, and what is new waits.')}
      >
        <ValueField
          label={t('Learning may take')}
          unit="%"
          value={String(cpuPercent)}
          read={readPercent}
          onSave={(percent) => void setLearning({ cpuPercent: percent })}
        />
      </Setting>
      <Setting
        label={t('Also while you are there')}
        words="learner presence"
        about={t('Otherwise it rests while somebody sits at the desk or uses a GPU by hand.')}
      >
        <Switch
          aria-label={t('Also while you are there')}
          checked={whilePresent}
          onChange={({ currentTarget }) => void setLearning({ whilePresent: currentTarget.checked })}
        />
      </Setting>
      <Setting
        label={t('Takes charge by itself')}
        words="learner promote freeze versions gate"
        about={t(
          'What is learned decides as soon as it has passed the gate; otherwise only when you say so.',
        )}
      >
        <Switch
          aria-label={t('Takes charge by itself')}
          checked={!frozen}
          onChange={({ currentTarget }) => void setFrozen(!currentTarget.checked)}
        />
      </Setting>
    </Group>
  );
}
