import type Database from 'better-sqlite3';
import { codeStore } from './codeStore.ts';
import { decisionStore } from './decisionStore.ts';
import { deviceStore } from './deviceStore.ts';
import { energyStore } from './energyStore.ts';
import { episodeStore } from './episodeStore.ts';
import { executorStore } from './executorStore.ts';
import { faultStore } from './faultStore.ts';
import { historyStore } from './historyStore.ts';
import { jobSearch } from './jobSearch.ts';
import { learningCurveStore } from './learningCurveStore.ts';
import { logGapStore } from './logGapStore.ts';
import { metricStore } from './metricStore.ts';
import { modelStore } from './modelStore.ts';
import { notifyStore } from './notifyStore.ts';
import { ruleStore } from './ruleStore.ts';
import { settingStore } from './settingStore.ts';
import { sharingStore } from './sharingStore.ts';
import { startEstimateStore } from './startEstimateStore.ts';
import { suggestionStore } from './suggestionStore.ts';
import { templateStore } from './templateStore.ts';
import { tokenStore } from './tokenStore.ts';
import { transitionStore } from './transitionStore.ts';

/** Everything that is kept of an engine in one database, but jobs: these are the ledger's. */
export const storesOf = (db: Database.Database) => ({
  code: codeStore(db),
  decisions: decisionStore(db),
  devices: deviceStore(db),
  energy: energyStore(db),
  episodes: episodeStore(db),
  executors: executorStore(db),
  faults: faultStore(db),
  history: historyStore(db),
  search: jobSearch(db),
  learningCurve: learningCurveStore(db),
  logGaps: logGapStore(db),
  metrics: metricStore(db),
  models: modelStore(db),
  notify: notifyStore(db),
  rules: ruleStore(db),
  settings: settingStore(db),
  sharing: sharingStore(db),
  startEstimates: startEstimateStore(db),
  suggestions: suggestionStore(db),
  templates: templateStore(db),
  tokens: tokenStore(db),
  transitions: transitionStore(db),
});
