import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { parseBegin } from '../../domain/begin.ts';
import type { Reservation, Yield } from '../../domain/deviceRules.ts';
import { clientCommand } from '../clientCommand.ts';
import { type Context, withEngine } from '../context.ts';
import { deviceAt } from '../deviceAt.ts';
import { integer, oneOf, YIELD_HELP, YIELDS } from '../flags.ts';
import { formatTime } from '../formatTime.ts';
import { offsetMinAt } from '../period.ts';
import { type Column, renderTable } from '../table.ts';

interface ReserveFlags {
  readonly device: number;
  readonly from?: string;
  readonly to: string;
  readonly for?: string;
  readonly others?: Yield;
  readonly json?: true;
  readonly data?: string;
}

/** Commands for whom GPUs are kept, and when. */
export function registerReserve(program: Command, context: Context): void {
  clientCommand(program, 'reserve', "Keeps a GPU for one user's jobs for some time.")
    .requiredOption('--device <N>', 'number of the GPU', integer('--device', 0, 4095))
    .option('--from <T>', 'when it begins: 14:00, "tomorrow 09:00", +2h (default: now)')
    .requiredOption('--to <T>', 'when it ends')
    .option('--for <USER>', 'whose jobs may run there then (default: you)')
    .option(
      '--others <WHAT>',
      `what others' jobs on it do in that time: ${YIELD_HELP} (default: pause)`,
      oneOf('--others', YIELDS),
    )
    .option('--json', 'print the reservation as JSON')
    .addHelpText('after', '\nJobs that would probably not have ended before are not started there.')
    .action((flags: ReserveFlags) =>
      withEngine(context, flags, async (client) => {
        const nowMs = context.nowMs();
        const moment = (text: string, field: string) => parseBegin(text, field, { nowMs, offsetMinAt });
        const device = await deviceAt(client, flags.device);
        const made = await client.devices.reserve({
          id: device.id,
          fromMs: flags.from === undefined ? nowMs : moment(flags.from, '--from'),
          toMs: moment(flags.to, '--to'),
          user: flags.for ?? userInfo().username,
          ...(flags.others === undefined ? {} : { others: flags.others }),
        });
        if (flags.json) return context.out(JSON.stringify(made));
        context.out(
          `reservation ${made.id}: GPU ${device.index} is ${made.user}'s from ${formatTime(made.fromMs)} to ${formatTime(made.toMs)}`,
        );
      }),
    );

  clientCommand(program, 'reservations', 'Lists for whom GPUs are kept, and when.')
    .option('--json', 'print them as a JSON array')
    .action((flags: { readonly json?: true; readonly data?: string }) =>
      withEngine(context, flags, async (client) => {
        const reservations = await client.devices.reservations();
        if (flags.json) return context.out(JSON.stringify(reservations));
        if (reservations.length === 0)
          return context.out('No GPU is reserved. Reserve one with `stint reserve`.');
        const indexOf = new Map((await client.devices.list()).map(({ id, index }) => [id, index]));
        for (const line of renderTable(reservationColumns(indexOf), reservations, context.width))
          context.out(line);
      }),
    );

  clientCommand(program, 'unreserve', 'Removes a reservation.')
    .argument('<ID>', 'its number, as `stint reservations` shows it', integer('reservation', 1, 2 ** 31))
    .option('--json', 'print its number as JSON')
    .action((id: number, flags: { readonly json?: true; readonly data?: string }) =>
      withEngine(context, flags, async (client) => {
        const removed = await client.devices.unreserve({ id });
        context.out(flags.json ? JSON.stringify(removed) : `reservation ${id} is removed`);
      }),
    );
}

const reservationColumns = (indexOf: ReadonlyMap<string, number>): readonly Column<Reservation>[] => [
  { title: 'ID', right: true, cell: (one) => String(one.id) },
  { title: 'GPU', right: true, cell: (one) => String(indexOf.get(one.deviceId) ?? one.deviceId) },
  { title: 'FOR', cell: (one) => one.user },
  { title: 'FROM', cell: (one) => formatTime(one.fromMs) },
  { title: 'TO', cell: (one) => formatTime(one.toMs) },
  { title: 'OTHERS', cell: (one) => (one.others === 'off' ? 'go on' : one.others) },
];
