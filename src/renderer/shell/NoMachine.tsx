import { Button, Code } from '@mantine/core';
import { t } from '../i18n/t.ts';
import classes from './NoMachine.module.css';

/** Before the first answer. */
export function Connecting() {
  return (
    <main className={classes.page}>
      <h1 className={classes.title}>Stint</h1>
      <p role="status">
        {t('Connecting to the engine at')} {location.host || t('this machine')} …
      </p>
      <p className="dim">
        {t('If this stays: on the machine itself, start it with')} <Code>stint serve</Code>.
      </p>
    </main>
  );
}

/** The engine does not let this browser in. */
export function Refused() {
  return (
    <main className={classes.page}>
      <h1 className={classes.title}>{t('This browser has no key to the machine')}</h1>
      <p>
        {t(
          'The link that opened this page was used up, or the engine has been started anew since. Get a fresh link on the machine itself:',
        )}
      </p>
      <ul className={classes.steps}>
        <li>
          <Code>stint console</Code> {t('prints an address with a new key, to open in this browser, or')}
        </li>
        <li>
          <Code>stint serve</Code>{' '}
          {t('prints the full address when it starts; open it as it stands, with everything after the')}{' '}
          <Code>#</Code>.
        </li>
      </ul>
      <p className="dim">{t('Jobs are not affected: they keep running.')}</p>
      <Button variant="default" onClick={() => location.reload()}>
        {t('Try again')}
      </Button>
    </main>
  );
}
