import { Button } from '@mantine/core';
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import { t } from '../i18n/t.ts';

/**
 * A view whose code is fetched when it is first looked at. Where it cannot be (the engine was upgraded under the open page),
 * a reload is offered in its place.
 */
export function lazyView<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(() =>
    load().then(
      (view) => ({ default: view }),
      () => ({ default: Unloaded as ComponentType<Props> }),
    ),
  );
}

function Unloaded() {
  return (
    <section style={{ padding: '48px 16px' }}>
      <p role="alert">
        {t('This view could not be loaded. Stint may have been upgraded since the page was opened.')}
      </p>
      <Button variant="default" onClick={() => location.reload()}>
        {t('Load the page again')}
      </Button>
    </section>
  );
}
