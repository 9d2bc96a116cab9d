/**
 * Imports point one way:
 *   domain <- contract, scheduler <- learning, simulator <- engine <- hosts (main, headless); simulator <- lab.
 * The renderer, the preload and the CLI are clients: they see domain and contract only. (Two exceptions, each through
 * an entry alone: the CLI's `serve` starts the headless host, and its commands that simulate call the lab.)
 */
const only = (from, ...to) => ({
  name: `${from}-imports-only-${to.join('-') || 'itself'}`,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, ...to.map((layer) => `^src/${layer}/`)] },
});
const noPackage = (from, names, why) => ({
  name: `${from}-without-${names[0]}`,
  comment: why,
  severity: 'error',
  from: { path: `^src/(${from})/` },
  to: { path: names.map((name) => `(^${name}$|node_modules/${name}/)`) },
});
module.exports = {
  forbidden: [
    only('domain'),
    only('contract', 'domain'),
    only('scheduler', 'domain'),
    only('learning', 'domain', 'scheduler'),
    only('simulator', 'domain', 'scheduler'),
    only('engine', 'domain', 'contract', 'scheduler', 'learning', 'simulator'),
    only('lab', 'domain', 'scheduler', 'learning', 'simulator'),
    only('main', 'domain', 'contract', 'engine'),
    only('headless', 'domain', 'contract', 'engine'),
    only('preload', 'domain', 'contract'),
    only('renderer', 'domain', 'contract'),
    {
      ...only('cli', 'domain', 'contract'),
      to: {
        path: '^src/',
        pathNot: ['^src/(cli|domain|contract)/', '^src/(headless|lab)/main\\.ts$'],
      },
    },
    {
      name: 'pure-layers-do-no-io',
      comment: 'Nothing in domain, contract, scheduler or simulator touches the machine: pass a port in.',
      severity: 'error',
      from: { path: '^src/(domain|contract|scheduler|simulator)/' },
      to: { dependencyTypes: ['core'] },
    },
    noPackage(
      'domain|contract|scheduler|learning|simulator|lab|engine|headless|renderer|cli',
      ['electron'],
      'Only src/main and src/preload know Electron.',
    ),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true, pathNot: '\\?' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
