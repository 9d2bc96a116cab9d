import { Menu, nativeImage, Tray } from 'electron';
import { resourcePath } from '../engine/packageRoot.ts';
import type { JobCounts } from './jobCounts.ts';

export interface TrayActions {
  open(): void;
  pauseAll(): void;
  quit(): void;
}

export interface ConsoleTray {
  /** null: not known yet. */
  update(counts: JobCounts | null): void;
  destroy(): void;
}

/** The icon through which the console is reached while its window is hidden. */
export function showTray(actions: TrayActions): ConsoleTray {
  const mac = process.platform === 'darwin';
  // macOS tints a file of this name by itself; the others want the coloured one.
  const image = nativeImage.createFromPath(
    resourcePath('icons', mac ? 'stintTrayTemplate.png' : 'stint-32.png'),
  );
  const tray = new Tray(image);
  tray.on('click', () => actions.open());
  const update = (counts: JobCounts | null): void => {
    const sentence = countsSentence(counts);
    tray.setToolTip(`Stint: ${sentence}`);
    // A menu on Linux changes only by being set again.
    tray.setContextMenu(
      Menu.buildFromTemplate([
        { id: 'counts', label: sentence, enabled: false },
        { type: 'separator' },
        { id: 'open', label: 'Open', click: () => actions.open() },
        {
          id: 'pause-all',
          label: 'Pause all',
          enabled: (counts?.running ?? 0) > 0,
          click: () => actions.pauseAll(),
        },
        { type: 'separator' },
        { id: 'quit', label: 'Quit console', click: () => actions.quit() },
      ]),
    );
  };
  update(null);
  return { update, destroy: () => tray.destroy() };
}

/** Such as `2 running, 1 paused, 3 waiting`. */
export function countsSentence(counts: JobCounts | null): string {
  if (counts === null) return 'starting';
  const paused = counts.paused > 0 ? `${counts.paused} paused, ` : '';
  return `${counts.running} running, ${paused}${counts.waiting} waiting`;
}
