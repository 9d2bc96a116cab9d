import { type Command, Help } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

const WIDTH = 120;

/** The program as it is, to be looked at: it prints nothing and ends nothing. */
export function silentProgram(): Promise<Command> {
  const nothing = (): void => undefined;
  return createProgram(
    {
      env: {},
      callerDir: '/',
      width: WIDTH,
      nowMs: () => 0,
      out: nothing,
      write: nothing,
      err: nothing,
      exitWith: nothing,
    },
    undefined,
  );
}

/** Every command with its options and examples, as one page of the manual, from the program itself. */
export async function commandsPage(): Promise<string> {
  const sections = commandsOf(await silentProgram())
    .map((command) => section(command))
    .join('\n');
  return `# Every command\n\nWhat \`stint COMMAND --help\` prints. [Exit codes](exit-codes.md) and [the fields of \`--json\`](json.md) have pages of their own.\n\n${sections}`;
}

/** The commands of a program and theirs, but for the help that each has. */
export function commandsOf(program: Command): Command[] {
  const helper = new Help();
  return helper
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help' || command.parent?.parent === null)
    .flatMap((command) => [command, ...commandsOf(command)]);
}

/** Its words after `stint`. */
export const nameOf = (command: Command): string =>
  command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();

function section(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return `## stint ${nameOf(command)}\n\n\`\`\`\n${text.trim()}\n\`\`\`\n`;
}
