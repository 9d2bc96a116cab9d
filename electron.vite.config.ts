import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const here = (path: string): string => resolve(import.meta.dirname, path);
/** Where the build goes: `scripts/build.ts` builds aside and then puts it in the place of the last one. */
const out = resolve(process.env.STINT_BUILD_DIR ?? here('out'));

/**
 * Every file that runs as a process or thread of its own, beside Electron's entry: the code that starts them
 * looks beside itself, and so the build keeps the shape of `src`.
 */
const entries = Object.fromEntries(
  [
    'main/index',
    'headless/main',
    'cli/bin',
    'cli/main',
    'learning/worker',
    'lab/worker',
    'lab/train/trainingWorker',
    'lab/gate/gateProcess',
    'lab/preview/previewProcess',
    'lab/replay/replayProcess',
    'engine/devices/nvmlChild',
    'engine/control/dutyChild',
    'engine/forecast/forecastProcess',
  ].map((name) => [name, here(`src/${name}.ts`)]),
);

export default defineConfig({
  main: {
    build: {
      // Emptied first; the other two then fill their own folders.
      outDir: out,
      emptyOutDir: true,
      externalizeDeps: true,
      rollupOptions: {
        input: entries,
        output: {
          format: 'es',
          preserveModules: true,
          preserveModulesRoot: here('src'),
          entryFileNames: '[name].js',
        },
      },
    },
  },
  preload: {
    build: {
      outDir: resolve(out, 'preload'),
      // A sandboxed preload cannot be an ES module and can require nothing but electron: one bundled CJS file.
      externalizeDeps: false,
      rollupOptions: {
        input: { index: here('src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: here('src/renderer'),
    plugins: [react()],
    build: {
      outDir: resolve(out, 'renderer'),
      emptyOutDir: true,
      // electron-vite leaves it as it is written; a browser has to fetch it.
      minify: true,
      rollupOptions: { input: here('src/renderer/index.html') },
      // The content security policy allows files of the same origin only, so nothing may become a data: URL.
      assetsInlineLimit: 0,
    },
  },
});
