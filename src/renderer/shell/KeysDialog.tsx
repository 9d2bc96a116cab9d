import { Kbd, Modal } from '@mantine/core';
import { t } from '../i18n/t.ts';
import classes from './KeysDialog.module.css';

const KEYS: readonly (readonly [string, readonly (readonly [readonly string[], string])[]])[] = [
  [
    t('Everywhere'),
    [
      [['1'], t('Queue')],
      [['2'], t('Now')],
      [['3'], t('Scheduler')],
      [['4'], t('History')],
      [['5'], t('Settings')],
      [[t('Ctrl K')], t('Do or find anything')],
      [['n'], t('Submit a job')],
      [['u'], t('Take back what was done last')],
      [['?'], t('This list')],
    ],
  ],
  [
    t('Queue'),
    [
      [['j', 'k'], t('Next, previous job')],
      [[t('Enter')], t('Open the job')],
      [['x'], t('Tick the job (Shift-click: all up to it)')],
      [['a'], t('Tick all that are not over')],
      [['m'], t('More: speed, memory, place, priority')],
      [['p'], t('Pause or resume')],
      [['h'], t('Hold back or release')],
      [['c'], t('Cancel')],
      [['r'], t('Retry what is over')],
      [['Alt ↑', 'Alt ↓'], t('Earlier, later in the queue')],
      [[t('Alt Home'), t('Alt End')], t('First, last in the queue')],
      [['→', '←'], t('Open, close an array')],
      [['+', '−'], t('Priority up, down')],
      [['/'], t('Filter')],
      [[t('Esc')], t('Clear ticks and filter')],
    ],
  ],
  [
    t('Job'),
    [
      [['p', 'c', 'h', 'r'], t('Pause, cancel, hold, retry')],
      [['m'], t('More')],
      [['f'], t('Follow the log')],
      [['w'], t('Wrap its lines')],
      [['/'], t('Search it')],
      [[t('Esc')], t('Back to the queue')],
    ],
  ],
];

/** Every key, by where it works. */
export function KeysDialog({ opened, onClose }: { opened: boolean; onClose(): void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={t('Keys')} size={780}>
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
