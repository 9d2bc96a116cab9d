/**
 * Loaded into a real Electron with `-r`, before the app: records what the app shows outside its windows under
 * `globalThis.shellRecords`, in the shape of the stand-in's `shell.ts`, and keeps dialogs from waiting for a
 * person. Needed because Electron tells nobody what a tray's menu is or which notifications were shown.
 */
const { dialog, Notification, Tray } = require('electron');

const records = { trays: [], notifications: [], messageBoxes: [], errorBoxes: [] };
globalThis.shellRecords = records;

const trays = new WeakMap();
const recordOf = (tray) => {
  let record = trays.get(tray);
  if (!record) {
    record = { toolTip: '', menu: null, destroyed: false };
    trays.set(tray, record);
    records.trays.push(record);
  }
  return record;
};
const before = (prototype, name, note) => {
  const original = prototype[name];
  prototype[name] = function (...args) {
    note(this, ...args);
    return original.apply(this, args);
  };
};
before(Tray.prototype, 'setToolTip', (tray, text) => {
  recordOf(tray).toolTip = text;
});
before(Tray.prototype, 'setContextMenu', (tray, menu) => {
  recordOf(tray).menu = menu;
});
before(Tray.prototype, 'destroy', (tray) => {
  recordOf(tray).destroyed = true;
});
before(Notification.prototype, 'show', ({ title, body }) => {
  records.notifications.push({ title, body });
});
dialog.showErrorBox = (title, content) => {
  records.errorBoxes.push({ title, content });
  process.stderr.write(`${title}\n${content}\n`);
};
dialog.showMessageBox = async ({ message, detail = '' }) => {
  records.messageBoxes.push({ message, detail });
  return { response: 0, checkboxChecked: false };
};
