import { Button, Code } from '@mantine/core';
import classes from './NoMachine.module.css';

/** Before the first answer. */
export function Connecting() {
  return (
    <main className={classes.page}>
      <h1 className={classes.title}>Stint</h1>
      <p role="status">Connecting to the engine at {location.host || 'this machine'} …</p>
      <p className="dim">
        If this stays: on the machine itself, start it with <Code>stint serve</Code>.
      </p>
    </main>
  );
}

/** The engine does not let this browser in. */
export function Refused() {
  return (
    <main className={classes.page}>
      <h1 className={classes.title}>This browser has no key to the machine</h1>
      <p>
        The link that opened this page was used up, or the engine has been started anew since. Get a fresh
        link on the machine itself:
      </p>
      <ul className={classes.steps}>
        <li>
          <Code>stint console</Code> prints an address with a new key, to open in this browser, or
        </li>
        <li>
          <Code>stint serve</Code> prints the full address when it starts; open it as it stands, with
          everything after the <Code>#</Code>.
        </li>
      </ul>
      <p className="dim">Jobs are not affected: they keep running.</p>
      <Button variant="default" onClick={() => location.reload()}>
        Try again
      </Button>
    </main>
  );
}
