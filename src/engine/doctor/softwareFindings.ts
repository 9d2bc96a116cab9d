import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import type { SchedulerStatus } from '../../contract/messages.ts';
import { type Finding, ok } from '../../domain/finding.ts';
import { GPU_PACKAGE } from '../../learning/probeGpu.ts';
import { packageRoot } from '../packageRoot.ts';
import { programOutput } from '../programOutput.ts';
import { VERSION } from '../version.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Importing torch from a cold disk takes its time. */
const TORCH_DEADLINE_MS = 30_000;
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'firefox'];
const TORCH = `import json, torch
print(json.dumps([torch.__version__, torch.version.cuda or torch.version.hip, torch.cuda.is_available()]))`;
/** Where there is no GPU to see, it need not be imported. */
const TORCH_VERSION = `import importlib.util, json, os, re
folder = os.path.dirname(importlib.util.find_spec('torch').origin)
text = open(os.path.join(folder, 'version.py')).read()
print(json.dumps([re.search(r"__version__ = '([^']+)'", text).group(1), None, False]))`;

/** What Stint and jobs run on. @param scheduler null: no engine runs. @param gpus whether there are any. */
export async function softwareFindings(
  env: Env,
  scheduler: SchedulerStatus | null,
  gpus: boolean,
): Promise<Finding[]> {
  return [
    ok('Stint', `${VERSION} in ${packageRoot()}`),
    desktop(env),
    learner(scheduler),
    backend(env),
    await torch(env, gpus),
  ];
}

function desktop(env: Env): Finding {
  const about = 'console';
  const electron = env.ELECTRON_OVERRIDE_DIST_PATH || join(packageRoot(), 'node_modules/electron/dist');
  const window = ['electron', 'electron.exe', 'Electron.app'].some((name) =>
    existsSync(join(electron, name)),
  );
  const display = Boolean(env.DISPLAY || env.WAYLAND_DISPLAY) || process.platform === 'darwin';
  if (window && display) return ok(about, 'Electron and a display are there: npm start opens a window');
  const browser = BROWSERS.find((name) => isOnPath(name, env));
  const why = [window ? '' : "Electron's binary is not there", display ? '' : 'there is no display'];
  return {
    about,
    severity: 'note',
    found: `no window: ${why.filter(Boolean).join(', and ')}; browser: ${browser ?? 'none found'}`,
    remedy: 'stint serve prints an address that any browser shows, also over ssh -L',
  };
}

function learner(scheduler: SchedulerStatus | null): Finding {
  const about = 'learner';
  if (scheduler === null) return { about, severity: 'note', found: 'no engine runs', remedy: null };
  const { state, trouble, trainSteps, replaySize, backend: by } = scheduler.learner;
  if (trouble !== null) {
    const remedy = 'decisions go on with the weights at hand; engine.log says more';
    return { about, severity: 'warning', found: `${state}: ${trouble}`, remedy };
  }
  return ok(
    about,
    `${state}${by === null ? '' : ` with ${by}`}, ${trainSteps} steps, ${replaySize} transitions`,
  );
}

function backend(env: Env): Finding {
  const about = 'accelerator';
  const wanted = env.STINT_LEARNER_BACKEND || 'kernels';
  try {
    createRequire(import.meta.url).resolve(GPU_PACKAGE);
    return ok(about, `${GPU_PACKAGE} is installed; gradients are computed with ${wanted}`);
  } catch {
    if (wanted !== 'gpu')
      return ok(about, `gradients are computed with ${wanted}; ${GPU_PACKAGE} is not needed`);
    const remedy = `npm i ${GPU_PACKAGE}@4.22.0, or leave out STINT_LEARNER_BACKEND`;
    return {
      about,
      severity: 'warning',
      found: `STINT_LEARNER_BACKEND is gpu, and ${GPU_PACKAGE} is not installed`,
      remedy,
    };
  }
}

/** Of the Python that jobs find on the PATH; those with environments of their own have another. */
async function torch(env: Env, gpus: boolean): Promise<Finding> {
  const about = 'PyTorch';
  const text = await programOutput('python3', ['-c', gpus ? TORCH : TORCH_VERSION], env, TORCH_DEADLINE_MS);
  const answer = parsed(text);
  if (answer === null) {
    const found = 'python3 on the PATH of jobs has none that can be imported';
    return { about, severity: 'note', found, remedy: 'nothing, where jobs bring environments of their own' };
  }
  const [version, platform, available] = answer;
  if (!gpus) return ok(about, version);
  const what = `${version}, ${platform === null ? 'for the CPU only' : `for CUDA or HIP ${platform}`}`;
  if (available) return ok(about, `${what}, and it sees a GPU`);
  return {
    about,
    severity: 'warning',
    found: `${what}, and it sees no GPU`,
    remedy:
      platform === null
        ? 'install the build for your driver'
        : 'its CUDA may be newer than the driver: update that',
  };
}

function parsed(text: string | null): [string, string | null, boolean] | null {
  try {
    return JSON.parse(text?.trim().split('\n').at(-1) ?? '') as [string, string | null, boolean];
  } catch {
    return null;
  }
}

function isOnPath(name: string, env: Env): boolean {
  return (env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
