import { NativeSelect } from '@mantine/core';
import { type MachineRules, machineRulesSchema } from '../../domain/machineRules.ts';
import { t } from '../i18n/t.ts';
import { Group, Setting } from './Setting.tsx';
import { reader, ValueField } from './ValueField.tsx';

const readNames = reader(
  (text) => text.split(/[\s,]+/).filter((name) => name !== ''),
  machineRulesSchema.shape.secretNames,
);
const readDays = reader(
  (text) => (text === '' ? Number.NaN : Number(text)),
  machineRulesSchema.shape.secretDays,
);

const readUrl = reader((text) => (text === '' ? null : text), machineRulesSchema.shape.tracesUrl);

/** What agents may do, what counts as a secret, and what is sent elsewhere. */
export function Privacy(props: {
  rules: MachineRules;
  onSet(change: Partial<MachineRules>): Promise<boolean>;
}) {
  const { rules, onSet } = props;
  return (
    <Group title={t('Agents and secrets')}>
      <Setting
        label={t('Agents may')}
        words="mcp agent security"
        about={t(
          'What programs may do that come over `stint mcp`. To act is to run programs as you; all of it is in agent.log.',
        )}
      >
        <NativeSelect
          size="xs"
          aria-label={t('Agents may')}
          data={[
            { value: 'look', label: t('look at everything') },
            { value: 'act', label: t('also submit and control jobs') },
          ]}
          value={rules.agents}
          onChange={({ currentTarget }) =>
            void onSet({ agents: currentTarget.value as MachineRules['agents'] })
          }
        />
      </Setting>
      <Setting
        label={t('Also secret')}
        words="security redact password token environment"
        about={t(
          'Variables and options whose values stand in no record, beside those that Stint knows, such as MY_LICENCE or LDAP_*.',
        )}
      >
        <ValueField
          label={t('Also secret')}
          value={rules.secretNames.join(', ')}
          placeholder="LDAP_*"
          read={readNames}
          onSave={(secretNames) => void onSet({ secretNames })}
        />
      </Setting>
      <Setting
        label={t('Secrets are forgotten after')}
        words="security retention days"
        about={t('For so long after its end a job can be tried again with its secrets.')}
      >
        <ValueField
          label={t('Secrets are forgotten after')}
          unit={t('days')}
          value={String(rules.secretDays)}
          read={readDays}
          onSave={(secretDays) => void onSet({ secretDays })}
        />
      </Setting>
      <Setting
        label={t('Traces are sent to')}
        words="opentelemetry otlp jaeger tempo collector"
        about={t('A collector of OpenTelemetry that hears the life of each job that is over; empty: nobody.')}
      >
        <ValueField
          label={t('Traces are sent to')}
          value={rules.tracesUrl ?? ''}
          placeholder="http://127.0.0.1:4318"
          read={readUrl}
          onSave={(tracesUrl) => void onSet({ tracesUrl })}
        />
      </Setting>
    </Group>
  );
}
