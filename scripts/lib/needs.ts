import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A program that tests, the demo or a comparison need and npm cannot give. */
interface Need {
  readonly what: string;
  /** Debian package that has it. */
  readonly debian: string;
  /** True: without it some tests, or one column of a comparison, are left out, and say so. */
  readonly optional?: true;
  present(): boolean;
}

const answers = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;

const HEADLESS_SHELL = 'chromium-headless-shell';
const CHROMIUMS = [
  process.env.STINT_CHROMIUM,
  `/usr/bin/${HEADLESS_SHELL}`,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const SLURM: Need = {
  what: 'Slurm with munge, for jobs that are handed over to it',
  debian: 'slurm-wlm munge',
  optional: true,
  present: () => answers('sh', '-c', 'command -v slurmctld && command -v slurmd && command -v munged'),
};

/** Of the tests. */
export const TEST_NEEDS: readonly Need[] = [
  {
    what: 'Chromium, for the console',
    debian: HEADLESS_SHELL,
    present: () => CHROMIUMS.some((path) => path !== undefined && existsSync(path)),
  },
  {
    what: "Chromium's headless shell, which takes half the time of the whole browser and drew what looks are compared with",
    debian: HEADLESS_SHELL,
    optional: true,
    present: () => process.env.STINT_CHROMIUM !== undefined || existsSync(`/usr/bin/${HEADLESS_SHELL}`),
  },
  {
    what: 'a C compiler, for the stand-in NVML library',
    debian: 'gcc libc6-dev',
    present: () => answers('gcc', '--version'),
  },
  {
    what: 'OpenSSL, for certificates',
    debian: 'openssl',
    present: () => answers('openssl', 'version'),
  },
  {
    what: 'PyTorch for /usr/bin/python3, for real training jobs',
    debian: 'python3-torch python3-numpy',
    present: () => answers('/usr/bin/python3', '-c', 'import torch, numpy'),
  },
  SLURM,
  ...['zsh', 'fish'].map(
    (shell): Need => ({
      what: `${shell}, for its completion`,
      debian: shell,
      optional: true,
      present: () => answers(shell, '--version'),
    }),
  ),
];

/** Of the pictures, beside what tests need. */
export const PICTURE_NEEDS: readonly Need[] = [
  {
    what: 'a Chinese font, for the picture in Chinese',
    debian: 'fonts-noto-cjk',
    optional: true,
    present: () => answers('sh', '-c', 'fc-list :lang=zh-cn | grep -q .'),
  },
];

/** Of the comparison with other queues. */
export const PEER_NEEDS: readonly Need[] = [
  SLURM,
  {
    what: 'task-spooler',
    debian: 'task-spooler',
    optional: true,
    present: () => answers('sh', '-c', 'command -v tsp'),
  },
];

/**
 * Installs through apt whatever is missing, where this user may; otherwise says what to install.
 * @returns what is still missing, a line each, with the command that would install it.
 */
export function installNeeds(needs: readonly Need[]): string[] {
  const missing = needs.filter((need) => !need.present());
  if (missing.length === 0) return [];
  const packages = [...new Set(missing.flatMap((need) => need.debian.split(' ')))];
  const mayInstall = process.getuid?.() === 0 && answers('apt-get', '--version');
  if (mayInstall) {
    console.log(`installing ${packages.join(', ')} through apt`);
    // Part of apt runs as another user, who may not be allowed into a directory of ours.
    const env = { ...process.env, TMPDIR: undefined, DEBIAN_FRONTEND: 'noninteractive' };
    try {
      execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env,
      });
    } catch (error) {
      console.error(`apt could not install them: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const lines = (absent: readonly Need[]): string[] =>
    absent.map(
      ({ what, debian }) => `${what}: install it, on Debian or Ubuntu with: sudo apt install ${debian}`,
    );
  const still = needs.filter((need) => !need.present());
  for (const line of lines(still.filter(({ optional }) => optional)))
    console.log(`something is left out without ${line}`);
  return lines(still.filter(({ optional }) => !optional));
}
