import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import type { Context } from '../context.ts';

const HELP = `
Once, for bash, zsh or fish:
  stint completion bash > ~/.local/share/bash-completion/completions/stint
  stint completion zsh > ~/.zfunc/_stint          with fpath+=~/.zfunc before compinit in ~/.zshrc
  stint completion fish > ~/.config/fish/completions/stint.fish

The script is written from the commands of this version; write it again after an upgrade. Nothing is run while you type.`;

/** `stint completion`. @param whole the program with all of its commands. */
export function registerCompletion(program: Command, context: Context, whole: () => Promise<Command>): void {
  program
    .command('completion')
    .description('Prints a script that lets a shell complete commands and options.')
    .argument('<SHELL>', 'bash, zsh or fish')
    .addHelpText('after', HELP)
    .action(async (shell: string) => {
      const { completionScript, SHELLS } = await import('../completionScript.ts');
      const known = SHELLS.find((one) => one === shell);
      if (known === undefined) throw new FieldError('SHELL', shell, `choose one of ${SHELLS.join(', ')}`);
      context.write(completionScript(known, await whole()));
    });
}
