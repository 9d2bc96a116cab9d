import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

interface Choice {
  readonly word: string;
  readonly about: string;
}
/** What can stand after some words: `token` → create, ls, revoke. */
interface Place {
  /** Words of the command, and of each alias of it; empty: the program. */
  readonly paths: readonly string[];
  readonly commands: readonly Choice[];
  readonly options: readonly Choice[];
  /** Options that want a value: what follows them is no command. */
  readonly valued: readonly string[];
}

/** A script for a shell that completes the commands and options of a program. */
export function completionScript(shell: (typeof SHELLS)[number], program: Command): string {
  const places = placesOf(program, ['']);
  return { bash, zsh, fish }[shell](program.name(), places);
}

function placesOf(command: Command, paths: readonly string[]): Place[] {
  const options = command.options.filter(({ hidden }) => !hidden);
  const here: Place = {
    paths,
    commands: command.commands.flatMap((sub) =>
      [sub.name(), ...sub.aliases()].map((word) => ({ word, about: firstLine(sub.description()) })),
    ),
    options: [
      ...options.map((option) => ({ word: option.long!, about: firstLine(option.description) })),
      HELP,
    ],
    valued: options.flatMap(({ required, short, long }) => (required ? [short, long] : [])).filter(isText),
  };
  const below = command.commands.flatMap((sub) =>
    placesOf(
      sub,
      paths.flatMap((path) => [sub.name(), ...sub.aliases()].map((word) => `${path} ${word}`.trim())),
    ),
  );
  return [here, ...below];
}

const HELP: Choice = { word: '--help', about: 'print the help of the command' };
const isText = (text: string | undefined): text is string => text !== undefined;
const firstLine = (text: string): string => text.split('\n')[0]!.replace(/\.$/, '');
const single = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Cases of a shell's `case`, one for each place. */
const cases = (places: readonly Place[], body: (place: Place) => string): string =>
  places
    .map((place) => `    ${place.paths.map((path) => `'${path}'`).join('|')}) ${body(place)} ;;`)
    .join('\n');

/**
 * Both bash and zsh walk over the words to find the command: `place`. What follows an option with a value is skipped, and
 * after -- or a word that is no command's the command line belongs to a job.
 */
const walk = (places: readonly Place[]): string => `  local place='' word skip='' valued='' known=''
  for word in "\${before[@]}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    case "$place" in
${cases(places, ({ commands, valued }) => `known=' ${commands.map(({ word }) => word).join(' ')} '; valued=' ${valued.join(' ')} '`)}
    esac
    if [[ $word == -- ]]; then return 1; fi
    if [[ $word == -* ]]; then
      if [[ $valued == *" $word "* ]]; then skip=1; fi
    elif [[ $known == *" $word "* ]]; then
      place="\${place:+$place }$word"
    elif [[ $place == submit || $place == add ]]; then
      return 1
    fi
  done
  if [[ -n $skip ]]; then return 1; fi
`;

function bash(name: string, places: readonly Place[]): string {
  return `# bash completion for ${name}, written by \`${name} completion bash\`
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}") choices=''
  COMPREPLY=()
${walk(places)}  case "$place" in
${cases(
  places,
  ({ commands, options }) =>
    `if [[ $cur == -* ]]; then choices='${options.map(({ word }) => word).join(' ')}'; else choices='${commands.map(({ word }) => word).join(' ')}'; fi`,
)}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -o default -F _${name} ${name}
`;
}

function zsh(name: string, places: readonly Place[]): string {
  const list = (choices: readonly Choice[]): string =>
    choices.map(({ word, about }) => single(`${word}:${about}`)).join(' ');
  return `#compdef ${name}
# zsh completion for ${name}, written by \`${name} completion zsh\`
_${name}_path() {
${walk(places)}  REPLY=$place
}
_${name}() {
  local REPLY='' cur=\${words[CURRENT]}
  local -a before choices
  before=("\${words[@]:1:$((CURRENT - 2))}")
  if ! _${name}_path; then _default; return; fi
  case "$REPLY" in
${cases(places, ({ commands, options }) => `if [[ $cur == -* ]]; then choices=(${list(options)}); else choices=(${list(commands)}); fi`)}
  esac
  if (( $#choices )); then _describe -V '${name}' choices; else _files; fi
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fish(name: string, places: readonly Place[]): string {
  const lines = places.flatMap(({ paths, commands, options }) => {
    const condition = `-n ${single(`__${name}_at ${paths.map((path) => `"${path}"`).join(' ')}`)}`;
    return [
      ...commands.map(
        ({ word, about }) => `complete -c ${name} -f ${condition} -a ${word} -d ${single(about)}`,
      ),
      ...options.map(
        ({ word, about }) => `complete -c ${name} ${condition} -l ${word.slice(2)} -d ${single(about)}`,
      ),
    ];
  });
  const known = places.flatMap(({ paths }) => paths.filter((path) => path !== ''));
  return `# fish completion for ${name}, written by \`${name} completion fish\`
function __${name}_at
    set -l path
    for word in (commandline -opc)[2..]
        if test "$word" = --
            return 1
        end
        set -l longer (string trim -- "$path $word")
        if contains -- "$longer" ${known.map(single).join(' ')}
            set path "$longer"
        end
    end
    contains -- "$path" $argv
end
${lines.join('\n')}
`;
}
