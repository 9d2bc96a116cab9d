import { readFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import type { Plugin } from 'vite';

const here = (path: string): string => resolve(import.meta.dirname, path);
/** Where the build goes: `scripts/build.ts` builds aside and then puts it in the place of the last one. */
const out = resolve(process.env.STINT_BUILD_DIR ?? here('out'));

/**
 * Every file that runs as a process or thread of its own, beside Electron's entry. They lie in the build as in `src`; what they
 * share stands in chunks, because to find and read six hundred files takes longer than to run them.
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
  ].map((name) => [name, here(`src/${name}.${name === 'cli/main' ? 'js' : 'ts'}`)]),
);

/** Found beside what installs them: binaries, WebAssembly, or files that they read. All other packages are bundled. */
const OUTSIDE = /^(@tensorflow\/|better-sqlite3$|koffi$|systeminformation$)/;
const { dependencies } = JSON.parse(readFileSync(here('package.json'), 'utf8')) as { dependencies: object };
const BUNDLED = Object.keys(dependencies).filter((name) => !OUTSIDE.test(name));

/**
 * Code that starts a program looks for it beside itself. In a chunk, `import.meta.url` of a module stays what it would be if the
 * module lay in the build as it does in `src`.
 */
const ownPlace: Plugin = {
  name: 'own-place',
  transform(code, id) {
    const path = relative(here('src'), id).replace(/\.ts$/, '.js').replaceAll(sep, '/');
    if (path.startsWith('..') || !code.includes('import.meta.url')) return null;
    return {
      code: code.replaceAll('import.meta.url', `placeOfModule(${JSON.stringify(path)})`),
      map: null,
    };
  },
  renderChunk(code, { fileName }) {
    return code.replace(/placeOfModule\("([^"]+)"\)/g, (_, path: string) => {
      const fromChunk = relative(dirname(fileName), path).replaceAll(sep, '/');
      return `new URL(${JSON.stringify(fromChunk)}, import.meta.url).href`;
    });
  },
};

/**
 * What starts the page asks the engine first, and then loads everything else. The page itself names all of that, so that it is
 * on its way meanwhile.
 */
const namesFirstView: Plugin = {
  name: 'names-first-view',
  transformIndexHtml: {
    order: 'post',
    handler(html, { bundle }) {
      const chunks = new Map(
        Object.values(bundle ?? {}).flatMap((one) => (one.type === 'chunk' ? [[one.fileName, one]] : [])),
      );
      const main = [...chunks.values()].find(
        ({ facadeModuleId }) => facadeModuleId === here('src/renderer/main.tsx'),
      );
      if (main === undefined)
        throw new Error('the page has no main.tsx; electron.vite.config.ts names another');
      const files = new Set([main.fileName]);
      for (const file of files) for (const imported of chunks.get(file)?.imports ?? []) files.add(imported);
      const styles = [...files].flatMap((file) => [...(chunks.get(file)?.viteMetadata?.importedCss ?? [])]);
      const link = (rel: string, file: string) => ({
        tag: 'link',
        attrs: { rel, crossorigin: true, href: `./${file}` },
        injectTo: 'head' as const,
      });
      return [
        ...[...files].map((file) => link('modulepreload', file)),
        ...styles.map((file) => link('stylesheet', file)),
      ].filter(({ attrs }) => !html.includes(attrs.href));
    },
  },
};

export default defineConfig({
  main: {
    plugins: [ownPlace],
    build: {
      // Emptied first; the other two then fill their own folders.
      outDir: out,
      emptyOutDir: true,
      externalizeDeps: { exclude: BUNDLED },
      license: { fileName: 'licenses.md' },
      rollupOptions: {
        input: entries,
        output: {
          format: 'es',
          entryFileNames: '[name].js',
          chunkFileNames: 'shared/[name]-[hash].js',
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
    plugins: [react(), namesFirstView],
    build: {
      outDir: resolve(out, 'renderer'),
      emptyOutDir: true,
      license: { fileName: 'licenses.md' },
      // electron-vite leaves it as it is written; a browser has to fetch it.
      minify: true,
      rollupOptions: { input: here('src/renderer/index.html') },
      // The content security policy allows files of the same origin only, so nothing may become a data: URL.
      assetsInlineLimit: 0,
    },
  },
});
