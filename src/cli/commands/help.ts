import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import type { Context } from '../context.ts';
import { markdownText } from '../markdownText.ts';

const DOCS = new URL('../../../docs/', import.meta.url);

/** `stint help TOPIC`: the pages of docs/, in the terminal. (`stint help COMMAND` is that command's --help.) */
export function registerHelp(program: Command, context: Context): void {
  program
    .command('help')
    .description('Prints the help of a command, or a page of the manual.')
    .argument('[TOPIC]', 'a command, or a topic; left out: lists the topics')
    .action((topic: string | undefined) => {
      const topics = readdirSync(DOCS)
        .filter((file) => file.endsWith('.md'))
        .map((file) => file.slice(0, -'.md'.length))
        .sort();
      if (topic === undefined) {
        const longest = Math.max(...topics.map(({ length }) => length));
        for (const one of topics) context.out(`${one.padEnd(longest)}  ${titleOf(page(one))}`);
        return;
      }
      if (!topics.includes(topic)) {
        throw new FieldError('TOPIC', topic, `give a command, or one of ${topics.join(', ')}`);
      }
      context.write(markdownText(page(topic), context.width));
    });
}

const page = (topic: string): string => readFileSync(new URL(`${topic}.md`, DOCS), 'utf8');
const titleOf = (text: string): string => /^# (.+)$/m.exec(text)?.[1] ?? '';
