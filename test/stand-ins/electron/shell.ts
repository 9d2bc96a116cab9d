import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';

/** What the app has shown outside its windows, in the shape that `recorder.cjs` gives it in a real Electron. */
interface ShellRecords {
  readonly trays: { toolTip: string; menu: Menu | null; destroyed: boolean }[];
  readonly notifications: { title: string; body: string }[];
  readonly messageBoxes: { message: string; detail: string }[];
  readonly errorBoxes: { title: string; content: string }[];
}

declare global {
  var shellRecords: ShellRecords;
}

globalThis.shellRecords = { trays: [], notifications: [], messageBoxes: [], errorBoxes: [] };

interface ItemTemplate {
  readonly id?: string;
  readonly label?: string;
  readonly role?: string;
  readonly type?: string;
  readonly enabled?: boolean;
  readonly submenu?: readonly ItemTemplate[];
  click?(): void;
}

export class MenuItem {
  readonly id: string;
  readonly label: string;
  readonly enabled: boolean;
  readonly submenu: Menu | null;
  readonly #click: (() => void) | undefined;

  constructor(template: ItemTemplate) {
    this.id = template.id ?? '';
    this.label = template.label ?? template.role ?? '';
    this.enabled = template.enabled ?? true;
    this.submenu = template.submenu ? Menu.buildFromTemplate(template.submenu) : null;
    this.#click = template.click?.bind(template);
  }
  click(): void {
    if (this.enabled) this.#click?.();
  }
}

export class Menu {
  static applicationMenu: Menu | null = null;
  readonly items: readonly MenuItem[];

  constructor(items: readonly MenuItem[]) {
    this.items = items;
  }
  static buildFromTemplate(template: readonly ItemTemplate[]): Menu {
    return new Menu(template.map((item) => new MenuItem(item)));
  }
  static setApplicationMenu(menu: Menu | null): void {
    Menu.applicationMenu = menu;
  }
  static getApplicationMenu(): Menu | null {
    return Menu.applicationMenu;
  }
  getMenuItemById(id: string): MenuItem | null {
    for (const item of this.items) {
      if (item.id === id) return item;
      const within = item.submenu?.getMenuItemById(id);
      if (within) return within;
    }
    return null;
  }
}

export class Tray extends EventEmitter {
  readonly #record: ShellRecords['trays'][number] = { toolTip: '', menu: null, destroyed: false };

  constructor(image: { isEmpty(): boolean }) {
    super();
    if (image.isEmpty()) throw new Error('a tray icon needs an image that can be read');
    globalThis.shellRecords.trays.push(this.#record);
  }
  setToolTip(text: string): void {
    this.#record.toolTip = text;
  }
  setContextMenu(menu: Menu | null): void {
    this.#record.menu = menu;
  }
  destroy(): void {
    this.#record.destroyed = true;
  }
}

export class Notification extends EventEmitter {
  readonly #record: ShellRecords['notifications'][number];

  constructor(options: { title: string; body: string }) {
    super();
    this.#record = { title: options.title, body: options.body };
  }
  static isSupported(): boolean {
    return true;
  }
  show(): void {
    globalThis.shellRecords.notifications.push(this.#record);
  }
}

export const dialog = {
  showErrorBox(title: string, content: string): void {
    globalThis.shellRecords.errorBoxes.push({ title, content });
    // As Electron does on Linux before it is ready, so that whoever started the process sees it.
    process.stderr.write(`${title}\n${content}\n`);
  },
  async showMessageBox(options: { message: string; detail?: string }): Promise<{ response: number }> {
    globalThis.shellRecords.messageBoxes.push({ message: options.message, detail: options.detail ?? '' });
    return { response: 0 };
  },
};

const PNG_SIGNATURE = '89504e470d0a1a0a';

export const nativeImage = {
  /** Empty, and no error, for a file that is not there: as Electron. */
  createFromPath(path: string): { isEmpty(): boolean } {
    let empty = true;
    try {
      empty = readFileSync(path).subarray(0, 8).toString('hex') !== PNG_SIGNATURE;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return { isEmpty: () => empty };
  },
};

class NativeTheme extends EventEmitter {
  themeSource = 'system';
  readonly shouldUseDarkColors = false;
}
export const nativeTheme = new NativeTheme();

export const screen = {
  getAllDisplays: (): { workArea: { x: number; y: number; width: number; height: number } }[] => [
    { workArea: { x: 0, y: 0, width: 1920, height: 1080 } },
  ],
};
