import { Kbd, Modal } from '@mantine/core';
import classes from './KeysDialog.module.css';

const KEYS: readonly (readonly [string, readonly (readonly [readonly string[], string])[]])[] = [
  [
    'Everywhere',
    [
      [['1'], 'Queue'],
      [['2'], 'Machine'],
      [['3'], 'Scheduler'],
      [['4'], 'History'],
      [['5'], 'Settings'],
      [['Ctrl K'], 'Do or find anything'],
      [['n'], 'Submit a job'],
      [['u'], 'Take back what was done last'],
      [['?'], 'This list'],
    ],
  ],
  [
    'Queue',
    [
      [['j', 'k'], 'Next, previous job'],
      [['Enter'], 'Open the job'],
      [['x'], 'Tick the job (Shift-click: all up to it)'],
      [['a'], 'Tick all that are not over'],
      [['m'], 'More: speed, memory, place, priority'],
      [['p'], 'Pause or resume'],
      [['h'], 'Hold back or release'],
      [['c'], 'Cancel'],
      [['r'], 'Retry what is over'],
      [['Alt ↑', 'Alt ↓'], 'Earlier, later in the queue'],
      [['Alt Home', 'Alt End'], 'First, last in the queue'],
      [['→', '←'], 'Open, close an array'],
      [['+', '−'], 'Priority up, down'],
      [['/'], 'Filter'],
      [['Esc'], 'Clear ticks and filter'],
    ],
  ],
  [
    'Job',
    [
      [['p', 'c', 'h', 'r'], 'Pause, cancel, hold, retry'],
      [['m'], 'More'],
      [['f'], 'Follow the log'],
      [['Esc'], 'Back to the queue'],
    ],
  ],
];

/** Every key, by where it works. */
export function KeysDialog({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size={780}>
      <div className={classes.groups}>
        {KEYS.map(([where, keys]) => (
          <section key={where}>
            <h2 className={classes.where}>{where}</h2>
            <dl className={classes.keys}>
              {keys.map(([names, what]) => (
                <div key={what} className={classes.key}>
                  <dt>
                    {names.map((name) => (
                      <Kbd key={name} size="sm">
                        {name}
                      </Kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
