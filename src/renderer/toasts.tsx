import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { t } from './i18n/t.ts';
import { troubleText } from './text/troubleText.ts';
import { visibleText } from './text/visibleText.ts';

/** A short confirmation. */
export function say(message: string): void {
  notifications.show({ message, withBorder: true, autoClose: 4000, withCloseButton: false });
}

/**
 * A confirmation of what can be taken back, with the button that does.
 * @param instead it takes the place of the last one of this name.
 */
export function sayWithUndo(message: string, label: string, undo: () => void, instead?: string): void {
  if (instead !== undefined) notifications.hide(instead);
  const id = notifications.show({
    ...(instead !== undefined && { id: instead }),
    message: (
      <span style={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: 12 }}>
        {message}
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          {label}
        </Button>
      </span>
    ),
    withBorder: true,
    autoClose: 20_000,
    withCloseButton: false,
  });
}

/** Something did not work: what, and what the engine says about it. */
export function sayTrouble(what: string, error: unknown): void {
  notifications.show({
    title: what,
    message: visibleText(troubleText(error)),
    color: 'alarm',
    withBorder: true,
    autoClose: 10_000,
    closeButtonProps: { 'aria-label': t('Close this message') },
  });
}
