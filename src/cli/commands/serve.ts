import type { Command } from 'commander';
import { POLICY_NAMES, parsePolicyName } from '../../domain/policyNames.ts';
import { type Context, homeOf } from '../context.ts';
import { integer } from '../flags.ts';
import { type ListenFlags, listenOptions, readListenFlags } from '../listenFlags.ts';

interface Flags extends ListenFlags {
  readonly port: number;
  readonly data?: string;
  readonly devices?: string;
  readonly policy?: string;
  readonly json?: true;
}

const HELP = `
Devices:
  --devices SPEC is found out by itself when left out: NVIDIA's NVML, else nvidia-smi, else AMD's driver. For a machine without GPUs,
  \`virtual:2\` makes two devices on which jobs really run, on the CPU; \`virtual:2x16384\` gives each 16384 MiB.

It prints one line when it is ready. With --json that line is {"url", "socket", "pid"}. The url carries a token:
whoever has it may do everything. SIGTERM or Ctrl+C ends the engine; running jobs go on, and it finds them again.

Other machines reach it through SSH, or, with --listen and a certificate, over TLS (\`stint help security\`). There is no
way in without a token.

Examples:
  stint serve
  stint serve --port 8080 --devices virtual:4 --policy dqn
  stint serve --listen 0.0.0.0 --port 7717 --tls-cert fullchain.pem --tls-key privkey.pem
  ssh -L 8080:127.0.0.1:8080 workstation     then open the printed address on your own machine`;

export function registerServe(program: Command, context: Context): void {
  const command = program
    .command('serve')
    .description('Starts the engine and the page of the console, for this machine unless you say otherwise.')
    .option('--port <N>', 'port of the console; 0 takes a free one', integer('--port', 0, 65_535), 0)
    .option('--data <DIR>', "data directory (default: $STINT_HOME, else the platform's)")
    .option('--devices <SPEC>', 'where devices come from, see below')
    .option('--policy <P>', `who decides: ${POLICY_NAMES.join(', ')}`, parsePolicyName)
    .option('--json', 'print the ready line as JSON');
  listenOptions(command)
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const home = homeOf(context, flags.data);
      const { serve } = await import('../../headless/main.ts');
      const status = await serve({
        home,
        port: flags.port,
        json: flags.json === true,
        stdout: context.out,
        stderr: context.err,
        ...readListenFlags(context, flags),
        ...(flags.devices === undefined ? {} : { devices: flags.devices }),
        ...(flags.policy === undefined ? {} : { policy: flags.policy }),
      });
      context.exitWith(status);
    });
}
