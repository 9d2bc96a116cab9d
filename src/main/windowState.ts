import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Rectangle } from 'electron';
import { z } from 'zod';
import { messageOf } from '../domain/errors.ts';
import type { Log } from '../engine/ports.ts';

const windowStateSchema = z.object({
  /** Outer bounds when not maximised, in device-independent pixels. */
  bounds: z.object({ x: z.int(), y: z.int(), width: z.int().min(400), height: z.int().min(300) }),
  maximized: z.boolean(),
});
export type WindowState = z.output<typeof windowStateSchema>;

/** Where the window was when it was last seen; null when there is nothing usable, which is no trouble. */
export function loadWindowState(path: string, log: Log): WindowState | null {
  try {
    return windowStateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.info('the place of the window is forgotten', { path, error: messageOf(error) });
    }
    return null;
  }
}

/** Writes it beside and moves it into place. A full disk costs the window its place and nothing else. */
export function saveWindowState(path: string, state: WindowState, log: Log): void {
  try {
    writeFileSync(`${path}.tmp`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    log.warn('the place of the window could not be kept', { path, error: messageOf(error) });
  }
}

/** Whether enough of a window's title bar lies on one of the work areas to take hold of it. */
export function isReachable(bounds: Rectangle, workAreas: readonly Rectangle[]): boolean {
  return workAreas.some((area) => {
    const left = Math.max(bounds.x, area.x);
    const right = Math.min(bounds.x + bounds.width, area.x + area.width);
    const top = bounds.y;
    return right - left >= 100 && top >= area.y && top <= area.y + area.height - 50;
  });
}
