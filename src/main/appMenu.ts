import { Menu, type MenuItemConstructorOptions } from 'electron';

/** What an application cannot do without: text editing keys, zoom, full screen, and the way out. */
export function setAppMenu(quit: () => void): void {
  const quitItem: MenuItemConstructorOptions = {
    id: 'quit',
    label: 'Quit console',
    accelerator: 'CommandOrControl+Q',
    click: () => quit(),
  };
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      {
        label: process.platform === 'darwin' ? 'Stint' : '&File',
        submenu: [{ role: 'close', label: 'Close window' }, { type: 'separator' }, quitItem],
      },
      { role: 'editMenu' },
      {
        label: '&View',
        submenu: [
          { role: 'reload' },
          { role: 'toggleDevTools' },
          { type: 'separator' },
          { role: 'resetZoom' },
          { role: 'zoomIn' },
          { role: 'zoomOut' },
          { type: 'separator' },
          { role: 'togglefullscreen' },
        ],
      },
    ]),
  );
}
