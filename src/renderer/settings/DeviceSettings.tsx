import { Button, NativeSelect } from '@mantine/core';
import type { Device } from '../../domain/device.ts';
import { type DeviceRules, deviceRulesSchema } from '../../domain/deviceRules.ts';
import { formatMib } from '../../domain/units.ts';
import { isDeviceFault, xidText } from '../../domain/xid.ts';
import { engineText } from '../i18n/engineText.ts';
import { t } from '../i18n/t.ts';
import { ignoreProcess, setDeviceRules } from '../machineActions.ts';
import { formatExact } from '../text/formatTime.ts';
import { visibleText } from '../text/visibleText.ts';
import { Group, Setting } from './Setting.tsx';
import { numberOrNull, reader, ValueField } from './ValueField.tsx';
import { YIELD_OPTIONS } from './yieldOptions.ts';

const { idleMin, maxTemperatureC, maxPowerW, throttlePercent } = deviceRulesSchema.shape;
const readIdle = reader(Number, idleMin);
const readTemperature = reader(numberOrNull, maxTemperatureC);
const readPower = reader(numberOrNull, maxPowerW);
const readPercent = reader(Number, throttlePercent);
const text = (value: number | null): string => (value === null ? '' : String(value));

/** What the owner wants of one device. */
export function DeviceSettings({ device }: { device: Device }) {
  const { rules, index } = device;
  const gpu = `GPU ${index}`;
  const set = (change: Partial<DeviceRules>) => void setDeviceRules(device, change);
  const select = <K extends 'presence' | 'overCap'>(key: K, label: string) => (
    <NativeSelect
      size="xs"
      aria-label={label}
      data={[...YIELD_OPTIONS]}
      value={rules[key]}
      onChange={({ currentTarget }) => set({ [key]: currentTarget.value as DeviceRules[K] })}
    />
  );
  return (
    <Group
      title={gpu}
      about={`${visibleText(device.name)}, ${formatMib(device.memoryTotalMib)}${
        device.closed === null
          ? ''
          : t('. Nothing new starts: {{reason}}', { reason: engineText(visibleText(device.closed.reason)) })
      }`}
    >
      {device.fault !== undefined && (
        <Setting
          label={t('Fault')}
          words={`${gpu} xid error`}
          about={t('{{why}}, {{when}}. {{remedy}}', {
            why: xidText(device.fault.code),
            when: formatExact(device.fault.atMs),
            remedy: isDeviceFault(device.fault.code)
              ? t(
                  'The GPU itself is in doubt: let nothing start there (Drain), look at `nvidia-smi -q` and the kernel’s log, and restart the machine. If it comes again, have the card looked at.',
                )
              : t('Most likely what ran there did it: look at the log of its job.'),
          })}
        >
          <span className="trouble">{`Xid ${device.fault.code}`}</span>
        </Setting>
      )}
      <Setting
        label={t('Others’ processes')}
        words={`${gpu} foreign share avoid`}
        about={t(
          'Whether jobs start beside processes that are not Stint’s. Their memory is never free either way.',
        )}
      >
        <NativeSelect
          size="xs"
          aria-label={t('Others’ processes on {{gpu}}', { gpu })}
          data={[
            { value: 'share', label: t('share where jobs fit') },
            { value: 'avoid', label: t('no jobs beside them') },
          ]}
          value={rules.foreign}
          onChange={({ currentTarget }) => set({ foreign: currentTarget.value as DeviceRules['foreign'] })}
        />
      </Setting>
      {device.foreign.map((process) => (
        <Setting
          key={process.pid}
          label={
            process.command === null
              ? t('Process {{pid}}', { pid: process.pid })
              : visibleText(process.command)
          }
          words={`${gpu} ignore mind process`}
          about={t('pid {{pid}}, {{a}}: {{a2}}', {
            pid: process.pid,
            a: process.memoryMib === null ? t('memory unknown') : formatMib(process.memoryMib),
            a2: process.ignored ? t('it keeps no job away') : t('it is minded'),
          })}
        >
          <Button
            size="compact-xs"
            variant="default"
            disabled={process.graphics !== undefined}
            onClick={() => void ignoreProcess(device, process.pid, !process.ignored)}
          >
            {process.ignored ? t('Mind it again') : t('Ignore it')}
          </Button>
        </Setting>
      ))}
      <Setting
        label={t('While you are there')}
        words={`${gpu} presence desk`}
        about={t(
          'You sit at the desk or run something on it by hand: nothing new starts, and its jobs do this until you have left.',
        )}
      >
        {select('presence', t('While you are there, {{gpu}}', { gpu }))}
      </Setting>
      <Setting
        label={t('You have left after')}
        words={`${gpu} presence idle minutes`}
        about={t('Minutes without input at the desk.')}
      >
        <ValueField
          label={t('You have left {{gpu}} after', { gpu })}
          unit="min"
          value={text(rules.idleMin)}
          read={readIdle}
          onSave={(value) => set({ idleMin: value })}
        />
      </Setting>
      <Setting
        label={t('Highest temperature')}
        words={`${gpu} guard cap`}
        about={t('Nothing starts from there on. Empty: as hot as its driver lets it get.')}
      >
        <ValueField
          label={t('Highest temperature of {{gpu}}', { gpu })}
          unit="°C"
          placeholder={t('no cap')}
          value={text(rules.maxTemperatureC)}
          read={readTemperature}
          onSave={(value) => set({ maxTemperatureC: value })}
        />
      </Setting>
      <Setting
        label={t('Highest power')}
        words={`${gpu} guard cap watt`}
        about={t('Nothing starts from there on. Empty: what its driver lets it draw.')}
      >
        <ValueField
          label={t('Highest power of {{gpu}}', { gpu })}
          unit="W"
          placeholder={t('no cap')}
          value={text(rules.maxPowerW)}
          read={readPower}
          onSave={(value) => set({ maxPowerW: value })}
        />
      </Setting>
      <Setting
        label={t('Over a cap for half a minute')}
        words={`${gpu} guard temperature power`}
        about={t('What its jobs do then, until it is 5 °C or 5 % below.')}
      >
        {select('overCap', t('Over a cap, {{gpu}}', { gpu }))}
      </Setting>
      <Setting
        label={t('Slowed down to')}
        words={`${gpu} throttle percent speed`}
        about={t('The share of their speed that jobs keep where they are to slow down.')}
      >
        <ValueField
          label={t('Slowed down to, {{gpu}}', { gpu })}
          unit="%"
          value={text(rules.throttlePercent)}
          read={readPercent}
          onSave={(value) => set({ throttlePercent: value })}
        />
      </Setting>
    </Group>
  );
}
