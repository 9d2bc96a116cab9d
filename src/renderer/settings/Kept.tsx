import { Group, Setting } from './Setting.tsx';

const KEPT: readonly (readonly [what: string, howLong: string])[] = [
  ['Jobs and their events', 'for good, about 1.5 KiB a job'],
  ['Logs', 'for good, in the data directory: what a job wrote is its owner’s to delete'],
  ['Readings of devices', 'an hour as they come, 30 days by the minute, then by the quarter of an hour'],
  ['Decisions and transitions', 'the latest 20,000 of each'],
  ['Learned weights', 'the shipped ones, those in charge, and the last 20'],
];

/** What the engine keeps, and for how long. */
export function Kept() {
  return (
    <Group title="What is kept" about="Nothing here needs to be set: the data directory grows slowly.">
      {KEPT.map(([what, howLong]) => (
        <Setting key={what} label={what} about={howLong} words="retention data">
          {null}
        </Setting>
      ))}
    </Group>
  );
}
