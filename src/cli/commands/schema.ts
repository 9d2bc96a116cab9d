import type { Command } from 'commander';
import { FieldError } from '../../domain/errors.ts';
import type { Context } from '../context.ts';

/** `stint schema`: what scripts may rely on. */
export function registerSchema(program: Command, context: Context): void {
  program
    .command('schema')
    .description('Prints the JSON Schema of what a command prints with --json.')
    .argument('[COMMAND...]', 'such as `ls` or `token create`; left out: lists the commands')
    .addHelpText('after', '\nExample:\n  stint schema ls > jobs.schema.json')
    .action(async (words: string[]) => {
      const { JSON_SCHEMAS, jsonSchemaOf } = await import('../jsonSchemas.ts');
      const names = Object.keys(JSON_SCHEMAS);
      if (words.length === 0) return context.out(names.join('\n'));
      const command = words.join(' ');
      if (!names.includes(command)) {
        throw new FieldError('COMMAND', command, `choose one of ${names.join(', ')}`);
      }
      context.out(JSON.stringify(jsonSchemaOf(command), null, 2));
    });
}
