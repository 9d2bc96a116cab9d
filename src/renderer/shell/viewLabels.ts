import { t } from '../i18n/t.ts';
import type { View } from '../route.ts';

/** What the views are called. */
export const VIEW_LABELS: Readonly<Record<View, string>> = {
  queue: t('Queue'),
  machine: t('Now'),
  scheduler: t('Scheduler'),
  history: t('History'),
  settings: t('Settings'),
};
