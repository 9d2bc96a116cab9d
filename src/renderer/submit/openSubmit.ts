import { makeStore } from '../store/store.ts';
import type { JobForm } from './jobForm.ts';
import type { ScriptFile } from './scriptForm.ts';

/** With what the dialog is open; null: it is not. */
export interface Submitting {
  /** What is filled in; null: nothing. */
  readonly form: JobForm | null;
  /** Scripts to choose from: the first is filled in. */
  readonly scripts: readonly ScriptFile[];
}
export const submitting = makeStore<Submitting | null>(null);

/** Opens the dialog. @param form what is filled in. */
export function openSubmit(form: JobForm | null = null, scripts: readonly ScriptFile[] = []): void {
  submitting.update(() => ({ form, scripts }));
}
