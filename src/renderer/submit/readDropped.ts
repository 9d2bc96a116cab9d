import { HOST_KEY, type StintHost } from '../../contract/host.ts';
import type { ScriptFile } from './scriptForm.ts';

/** A head is within this. */
const MOST_BYTES = 256 * 1024;
/** So many files of a folder are looked at. */
const MOST_FILES = 200;
const SCRIPT = /\.(sh|bash|zsh|slurm|sbatch|job|py)$/i;

/** Where a file lies, as the desktop knows; a browser does not tell. */
const pathOf = (file: File): string | null =>
  (window as { [HOST_KEY]?: StintHost })[HOST_KEY]?.pathOf(file) || null;

export async function readScript(file: File): Promise<ScriptFile> {
  return { name: file.name, text: await file.slice(0, MOST_BYTES).text(), path: pathOf(file) };
}

/** What was dropped, taken while the event lasts: afterwards the browser forgets it. */
export interface Dropped {
  readonly files: readonly File[];
  readonly folders: readonly FileSystemDirectoryEntry[];
}

export function taken(transfer: DataTransfer): Dropped {
  const files: File[] = [];
  const folders: FileSystemDirectoryEntry[] = [];
  for (const item of transfer.items) {
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory) folders.push(entry as FileSystemDirectoryEntry);
    else if (file !== null) files.push(file);
  }
  return { files, folders };
}

/** The files, and the scripts directly in the folders, those first that say what they need. */
export async function scriptsOf({ files, folders }: Dropped): Promise<ScriptFile[]> {
  const inside = (await Promise.all(folders.map(filesIn))).flat().filter(({ name }) => SCRIPT.test(name));
  const scripts = await Promise.all([...files, ...inside].slice(0, MOST_FILES).map(readScript));
  const says = ({ text }: ScriptFile): number => Number(/^#(SBATCH|STINT)\b/m.test(text));
  return scripts.sort((a, b) => says(b) - says(a) || a.name.localeCompare(b.name));
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const files: File[] = [];
  for (;;) {
    // A reader gives some at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0 || files.length >= MOST_FILES) return files;
    const plain = some.filter((entry): entry is FileSystemFileEntry => entry.isFile);
    files.push(
      ...(await Promise.all(
        plain.map((entry) => new Promise<File>((done, failed) => entry.file(done, failed))),
      )),
    );
  }
}
