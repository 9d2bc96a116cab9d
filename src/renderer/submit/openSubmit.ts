import { makeStore } from '../store/store.ts';
import type { JobForm } from './jobForm.ts';

/** With what the dialog is open (null: with nothing filled in); null: it is not. */
export const submitting = makeStore<{ readonly form: JobForm | null } | null>(null);

/** Opens the dialog. @param form what is filled in. */
export function openSubmit(form: JobForm | null = null): void {
  submitting.update(() => ({ form }));
}
