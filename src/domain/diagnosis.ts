import { z } from 'zod';
import { actorText } from './actorText.ts';
import type { Deputy } from './deputy.ts';
import { FAILURES, type Failure, HOST_MEMORY } from './failures.ts';
import { plainLine } from './plainLine.ts';
import { isDeviceFault, xidText } from './xid.ts';

/** Why a job ended badly, for programs; docs/diagnosis.md says by what each is recognised. */
export const DIAGNOSIS_CODES = [
  'gpu-memory',
  'host-memory',
  'shared-memory',
  'disk-full',
  'cuda-driver',
  'cuda-error',
  'gpu-fault',
  'missing-module',
  'missing-file',
  'permission',
  'port-in-use',
  'nan-loss',
  'communication',
  'no-command',
  'no-directory',
  'pre-hook',
  'segfault',
  'crash',
  'python-error',
  'cancelled',
  'timed-out',
  'deadline',
  'killed',
  'not-started',
  'lost',
  'exit-code',
] as const;
export type DiagnosisCode = (typeof DIAGNOSIS_CODES)[number];

export const diagnosisSchema = z.object({
  code: z.enum(DIAGNOSIS_CODES),
  /** The cause in a few words, for a row. */
  summary: z.string(),
  /** The line of the log that tells it; null: none does. */
  line: z
    .object({
      /** Without escape sequences, cut to 300 characters. */
      text: z.string(),
      /** Bytes from the start of the log to the start of the line. */
      offset: z.int().min(0),
      /** From 1; null: the log is long, and only its end was read. */
      number: z.int().positive().nullable(),
    })
    .nullable(),
  /** What to do about it, in a sentence. */
  remedy: z.string(),
});
export type Diagnosis = z.output<typeof diagnosisSchema>;

/** A piece of a log between two line feeds or carriage returns. */
export interface LogLine {
  readonly text: string;
  readonly offset: number;
  readonly number: number | null;
}

/** What the engine knows of an end. */
export interface EndFacts {
  /** How the job will be called: only what ended badly is diagnosed. */
  readonly status: 'failed' | 'cancelled' | 'timed-out' | 'lost';
  /** As the job will have it; null when nobody saw one. */
  readonly exitCode: number | null;
  /** The signal's name, where one ended it. */
  readonly signal: string | null;
  /** Who told it to end, and why; null: nobody did through Stint. */
  readonly stoppedBy: {
    readonly actor: string;
    /** Through whom the person acted. */
    readonly by?: Deputy | null;
    readonly reason: string;
  } | null;
  /** Why it could not be started, or nobody saw its end; null otherwise. */
  readonly trouble: string | null;
  /** Whether the kernel's OOM killer acted while it ran; null: that cannot be told. */
  readonly oomKilled: boolean | null;
  /** Other jobs that were on its devices at its end. */
  readonly neighbours: readonly number[];
  /** What the driver reported of one of its GPUs while it ran; left out: nothing. */
  readonly fault?: { readonly gpu: number; readonly code: number } | undefined;
}

const LINE_CHARACTERS = 300;
const SUMMARY_CHARACTERS = 160;
/** Longer lines are searched at both ends only. */
const SEARCHED_CHARACTERS = 8192;

interface Finding {
  readonly failure: Failure;
  readonly match: RegExpExecArray;
  readonly line: LogLine;
  readonly plain: string;
  readonly at: number;
}

/**
 * The cause of an end, from the end of the output and what the engine knows. What Stint itself did comes first, then
 * what the output says, then the signal or the exit code.
 * @param lines the end of the log, oldest first.
 */
export function diagnose(facts: EndFacts, lines: readonly LogLine[]): Diagnosis {
  return (
    deliberate(facts) ??
    notRun(facts, lines) ??
    (facts.fault && isDeviceFault(facts.fault.code) ? gpuFault(facts.fault, lines) : null) ??
    killed(facts) ??
    fromOutput(facts, lines) ??
    (facts.fault ? gpuFault(facts.fault, lines) : fromExit(facts, lines))
  );
}

function deliberate({ status, stoppedBy }: EndFacts): Diagnosis | null {
  if (status === 'timed-out') {
    return plain(
      'timed-out',
      stoppedBy?.reason ?? 'over its time limit',
      'Retry it with a longer limit (`stint retry ID --time 12h`); restartable jobs go on from their checkpoint.',
    );
  }
  if (status !== 'cancelled') return null;
  const by =
    stoppedBy === null || (stoppedBy.actor === 'person' && !stoppedBy.by)
      ? 'a person'
      : `the ${actorText(stoppedBy.actor, stoppedBy.by ?? null)}`;
  return plain('cancelled', `cancelled by ${by}`, 'Submit it again if that was not meant.');
}

/** So begins what resources/supervisor.sh says of a hook that kept the command from being run. */
const PRE_FAILED = 'its pre hook failed';

function notRun(facts: EndFacts, lines: readonly LogLine[]): Diagnosis | null {
  const { status, exitCode, trouble, oomKilled } = facts;
  if (trouble === null) return null;
  if (status === 'lost') {
    return oomKilled
      ? plain('host-memory', 'out of host memory: the OOM killer ended its supervisor', HOST_MEMORY)
      : plain('lost', trouble, 'Look at the end of its log, and submit it again from its last checkpoint.');
  }
  const last = lastLine(lines);
  if (trouble.startsWith(PRE_FAILED)) {
    const remedy =
      'Look at the end of its log. What `--pre` says is run by a shell, in the directory and with the variables of the job.';
    return { ...plain('pre-hook', trouble, remedy), line: last };
  }
  if (exitCode === 127) {
    const remedy =
      'Give its full path, or set PATH: it runs without a shell and without an activated environment.';
    return { ...plain('no-command', trouble, remedy), line: last };
  }
  if (exitCode === 126) {
    return {
      ...plain('no-directory', trouble, 'Make the directory, or submit from another one.'),
      line: last,
    };
  }
  return plain('not-started', trouble, 'Mend what it says, and submit it again.');
}

function gpuFault({ gpu, code }: NonNullable<EndFacts['fault']>, lines: readonly LogLine[]): Diagnosis {
  const remedy = isDeviceFault(code)
    ? 'Retry it on another GPU; reset this one (nvidia-smi --gpu-reset) or restart the machine, and look into dmesg.'
    : 'Run it once with CUDA_LAUNCH_BLOCKING=1 (or compute-sanitizer), which shows where it was.';
  return { ...plain('gpu-fault', `GPU ${gpu} reported ${xidText(code)}`, remedy), line: lastLine(lines) };
}

/** Signals that come from outside: whatever the output says, they were the end. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

function killed({ signal, oomKilled }: EndFacts): Diagnosis | null {
  if (signal === null || !FROM_OUTSIDE.has(signal)) return null;
  if (signal === 'SIGKILL' && oomKilled === true) {
    return plain('host-memory', "out of host memory: ended by the kernel's OOM killer", HOST_MEMORY);
  }
  if (signal === 'SIGKILL' && oomKilled === null) {
    const remedy = `Look into the kernel's log (dmesg). If it was that: ${HOST_MEMORY}`;
    return plain('killed', "killed by SIGKILL, not by Stint: perhaps the kernel's OOM killer", remedy);
  }
  const remedy = 'Somebody or something else on this machine ended it; submit it again.';
  return plain('killed', `ended by ${signal}, not by Stint`, remedy);
}

/**
 * What the output says. The last cause that is named counts, unless an exception of another kind came after it: then
 * it was survived. A weak one counts only where there is nothing else.
 */
function fromOutput(facts: EndFacts, lines: readonly LogLine[]): Diagnosis | null {
  const texts = lines.map((line) => searched(line.text));
  let cause: Finding | null = null;
  let weak: Finding | null = null;
  for (let at = lines.length - 1; at >= 0 && cause === null; at--) {
    const found = recognise(texts[at]!, lines[at]!, at, lines.length);
    if (found?.failure.weak) weak ??= found;
    else cause = found;
  }
  const exception = lastException(lines, texts);
  if (exception !== null && (cause === null || outdone(cause, exception, texts))) {
    return exceptionDiagnosis(exception);
  }
  const found = cause ?? weak;
  return found === null ? null : described(found, facts);
}

function recognise(plainText: string, line: LogLine, at: number, count: number): Finding | null {
  for (const failure of FAILURES) {
    if (failure.within !== undefined && count - at > failure.within) continue;
    const match = failure.pattern.exec(plainText);
    if (match !== null) return { failure, match, line, plain: plainText, at };
  }
  return null;
}

function described({ failure, match, line, plain: text }: Finding, facts: EndFacts): Diagnosis {
  // A process that was killed for its memory is only missed by the others.
  if (failure.code === 'communication' && facts.oomKilled === true) {
    const summary = 'out of host memory: the OOM killer ended one of its processes';
    return { ...plain('host-memory', summary, HOST_MEMORY), line: tell(line, text, match.index) };
  }
  return {
    code: failure.code,
    summary: cut(failure.summary(match), SUMMARY_CHARACTERS),
    line: tell(line, text, match.index),
    remedy: failure.remedy(match, facts.neighbours),
  };
}

interface Exception {
  readonly line: LogLine;
  readonly plain: string;
  readonly at: number;
  /** Where its traceback begins. */
  readonly from: number;
}

const TRACEBACK = 'Traceback (most recent call last)';
/** The programs that start others raise these when one of theirs has failed: the cause is above. */
const WRAPPERS =
  /(?:^|\.)(?:ChildFailedError|CalledProcessError|ProcessRaisedException|ProcessExitedException|RayTaskError)\b/;
/** Before each line, torchrun's `[rank0]:` and its like. */
const PREFIX = /^(?:\[[\w:.-]+\]:? ?)*/;

/** The last exception of a Python traceback that is neither a launcher's nor a mere consequence. */
function lastException(lines: readonly LogLine[], texts: readonly string[]): Exception | null {
  for (let from = texts.length - 1; from >= 0; from--) {
    if (!texts[from]!.includes(TRACEBACK)) continue;
    for (let at = from + 1; at < texts.length; at++) {
      const text = texts[at]!.replace(PREFIX, '');
      if (text.trim() === '' || /^[\s|+]/.test(text)) continue;
      const name = /^[A-Za-z_][\w.]*(?=:|\s*$)/.exec(text)?.[0];
      if (name === undefined || WRAPPERS.test(name)) break;
      if (recognise(text, lines[at]!, at, texts.length)?.failure.weak) break;
      return { line: lines[at]!, plain: text, at, from };
    }
  }
  return null;
}

/** True if the exception says more of the end than the cause: it came after it, and not out of it. */
function outdone(cause: Finding, exception: Exception, texts: readonly string[]): boolean {
  if (exception.at === cause.at) return false;
  if (exception.at < cause.at) return cause.failure.quiet === true;
  if (exception.from < cause.at) return false;
  const between = texts.slice(cause.at, exception.from);
  return !between.some((text) => /During handling of|The above exception was/.test(text));
}

function exceptionDiagnosis({ line, plain: text }: Exception): Diagnosis {
  return {
    code: 'python-error',
    summary: cut(text.trim(), SUMMARY_CHARACTERS),
    line: tell(line, text, 0),
    remedy: 'Look at the traceback above that line in the log.',
  };
}

/** Signals that a program brings on itself. */
const CRASHES: Readonly<Record<string, string>> = {
  SIGABRT: 'aborted (a failed assertion, or an error that nothing caught)',
  SIGBUS: 'bus error (memory or a mapped file went away)',
  SIGFPE: 'arithmetic error',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'stopped at a trap',
  SIGSYS: 'forbidden system call',
};

function fromExit({ exitCode, signal }: EndFacts, lines: readonly LogLine[]): Diagnosis {
  const line = lastLine(lines);
  if (signal === 'SIGSEGV') {
    const remedy = 'Suspect a library with native code; with PYTHONFAULTHANDLER=1 Python shows where it was.';
    return { ...plain('segfault', 'segmentation fault', remedy), line };
  }
  const crash = signal === null ? undefined : CRASHES[signal];
  if (crash !== undefined) {
    const remedy =
      signal === 'SIGILL'
        ? 'A library was built for another processor: install one that was built for this.'
        : 'Look at the end of its log; with PYTHONFAULTHANDLER=1 Python shows where it was.';
    return { ...plain('crash', crash, remedy), line };
  }
  const how = signal === null ? `exited with code ${exitCode ?? 'unknown'}` : `ended by ${signal}`;
  return { ...plain('exit-code', how, 'Look at the end of its log.'), line };
}

/** The last line that is not empty. */
function lastLine(lines: readonly LogLine[]): Diagnosis['line'] {
  for (let at = lines.length - 1; at >= 0; at--) {
    const text = searched(lines[at]!.text);
    if (text.trim() !== '') return tell(lines[at]!, text, 0);
  }
  return null;
}

const plain = (code: DiagnosisCode, summary: string, remedy: string): Diagnosis => ({
  code,
  summary: cut(summary, SUMMARY_CHARACTERS),
  line: null,
  remedy,
});

/** A line as it is searched: plain, and of a very long one the two ends. */
function searched(text: string): string {
  if (text.length <= SEARCHED_CHARACTERS) return plainLine(text);
  const half = SEARCHED_CHARACTERS / 2;
  return plainLine(`${text.slice(0, half)} … ${text.slice(-half)}`);
}

function tell(line: LogLine, text: string, index: number): NonNullable<Diagnosis['line']> {
  // What tells is kept in sight however far to the right it stands.
  const from = index > LINE_CHARACTERS - 100 ? index - 20 : 0;
  const shown = (from > 0 ? '…' : '') + text.slice(from).trim();
  return { text: cut(shown, LINE_CHARACTERS), offset: line.offset, number: line.number };
}

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;
