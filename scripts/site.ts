/**
 * `npm run site [-- OUT]`: makes the manual into a site of static files with a search, in `site/` or OUT: README, the pages of
 * docs/ and every command as its --help says it. VitePress is fetched for it and is no dependency: only who makes the site needs it.
 */
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commandsPage } from './lib/commandsPage.ts';
import { ROOT, run } from './lib/run.ts';

const VITEPRESS = 'vitepress@1.6.4';
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Begin: ['index', 'guide', 'install', 'commands', 'troubleshooting', 'comparison'],
  Jobs: [
    'jobs',
    'environment',
    'control',
    'logs',
    'metrics',
    'diagnosis',
    'durations',
    'slurm',
    'executors',
    'retention',
  ],
  Scheduler: ['dqn', 'policies', 'modes', 'goals', 'policy-versions', 'learning'],
  Machine: ['devices', 'doctor', 'service', 'backup', 'security', 'chaos'],
  'Other programs': ['api', 'json', 'exit-codes', 'agents', 'notify'],
};

const out = resolve(process.argv[2] ?? join(ROOT, 'site'));
const place = join(ROOT, '.cache', `site-${process.pid}`);
try {
  await build();
} finally {
  rmSync(place, { recursive: true, force: true });
}

async function build(): Promise<void> {
  mkdirSync(join(place, '.vitepress'), { recursive: true });
  cpSync(join(ROOT, 'docs'), place, { recursive: true });
  // It stands where docs/ was, and what lies outside of docs/ has no page.
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8').replaceAll('](docs/', '](');
  writeFileSync(join(place, 'index.md'), readme);
  writeFileSync(join(place, 'commands.md'), await commandsPage());
  mkdirSync(join(place, 'public'));
  copyFileSync(join(ROOT, 'resources/icons/stint.svg'), join(place, 'public/stint.svg'));
  writeFileSync(
    join(place, '.vitepress/config.mjs'),
    `export default ${JSON.stringify(configuration(), null, 2)};\n`,
  );
  const status = await run('npm', [
    ...['exec', '--yes', `--package=${VITEPRESS}`, '--', 'vitepress', 'build', place],
    ...['--outDir', out],
  ]);
  if (status !== 0) {
    console.error(`${VITEPRESS} did not make the site (status ${status}); npm's registry is needed for it`);
    process.exitCode = 1;
  } else console.log(`the site is in ${out}; open it through any server of static files`);
}

function configuration(): object {
  const pages = readdirSync(place)
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.slice(0, -'.md'.length));
  const grouped = new Set(Object.values(GROUPS).flat());
  const rest = pages.filter((page) => !grouped.has(page)).sort();
  return {
    title: 'Stint',
    description: 'The queue for the GPUs of one workstation',
    cleanUrls: false,
    // Links of README and docs/ to files of the sources; the links between pages have a test of their own.
    ignoreDeadLinks: true,
    themeConfig: {
      logo: '/stint.svg',
      search: { provider: 'local' },
      outline: [2, 3],
      sidebar: [
        ...Object.entries(GROUPS).map(([text, names]) => ({
          text,
          items: names.filter((name) => pages.includes(name)).map(item),
        })),
        {
          text: 'More',
          collapsed: true,
          items: [...rest.map(item), { text: 'Decisions', link: '/decisions/README' }],
        },
      ],
    },
  };
}

function item(name: string): { text: string; link: string } {
  const title = /^# (.+)$/m.exec(readFileSync(join(place, `${name}.md`), 'utf8'))?.[1] ?? name;
  return { text: title.replaceAll('`', ''), link: name === 'index' ? '/' : `/${name}` };
}
