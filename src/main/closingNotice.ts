import { dialog, Notification } from 'electron';
import type { Log } from '../engine/ports.ts';

const TITLE = 'Jobs go on running.';
const BODY = 'Stint stays in the tray; Quit ends the console, never a job.';

/** Returns what to call when the window hides. It speaks the first time only. */
export function sayThatJobsGoOn(log: Log): () => void {
  let said = false;
  return () => {
    if (said) return;
    said = true;
    log.info('the window is hidden; the engine goes on');
    if (Notification.isSupported()) {
      new Notification({ title: TITLE, body: BODY }).show();
      return;
    }
    void dialog.showMessageBox({
      type: 'info',
      title: 'Stint',
      message: TITLE,
      detail: BODY,
      buttons: ['OK'],
    });
  };
}
