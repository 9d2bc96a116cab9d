/** Options of sbatch that Stint gives itself: without its own it would not find the job again, or its output. */
const OWN_OPTIONS = new Set(
  `array begin chdir comment dependency error export export-file gpus gpus-per-node gpus-per-task gres help hold input job-name
   kill-on-invalid-dep nice no-requeue open-mode output parsable partition quiet requeue test-only time usage verbose version
   wait wrap deadline uid gid clusters`.split(/\s+/),
);

/** How an option looks that may be passed on: `--mem=8G`. */
export const LONG_OPTION = /^--[a-z][a-z0-9-]*(=[^\0\n]*)?$/;
export const MOST_OPTION = 1000;

export const isOwnOption = (option: string): boolean => OWN_OPTIONS.has(option.slice(2).split('=')[0]!);

/** Whether an executor takes it. */
export const isPassedOn = (option: string): boolean =>
  option.length <= MOST_OPTION && LONG_OPTION.test(option) && !isOwnOption(option);
