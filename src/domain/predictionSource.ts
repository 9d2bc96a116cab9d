/** What a predicted duration rests on, best first. */
export const PREDICTION_SOURCES = ['progress', 'command', 'script', 'project', 'all', 'estimate'] as const;
export type PredictionSource = (typeof PREDICTION_SOURCES)[number];

/** The source in words, as the end of a sentence. */
export const SOURCE_WORDS: Readonly<Record<PredictionSource, string>> = {
  progress: 'by its own progress',
  command: 'as the same command took before',
  script: 'as this script took before',
  project: 'as jobs of this project took before',
  all: 'as other jobs took before',
  estimate: "by its submitter's estimate",
};
