/** What the unit of systemd starts. */
export interface UnitOptions {
  /** Program and arguments, absolute. */
  readonly command: readonly string[];
  readonly path: string;
}

/** The first line: by it an installed unit is known as ours. */
export const UNIT_MARK =
  '# Written by `stint service install`; change it with `systemctl --user edit stint`.';

/**
 * A unit for the owner's systemd. Ending it ends the engine and no job (`KillMode=process`), and a job that the kernel kills
 * for want of memory does not end the engine (`OOMPolicy=continue`).
 */
export const unitText = ({ command, path }: UnitOptions): string => `${UNIT_MARK}
[Unit]
Description=Stint, the queue for this machine's GPUs

[Service]
ExecStart=${command.map(word).join(' ')}
Environment=${word(`PATH=${path}`)}
Restart=on-failure
RestartSec=2
KillMode=process
OOMPolicy=continue
TimeoutStopSec=30

[Install]
WantedBy=default.target
`;

/** A word as systemd.service(5) reads it: quoted, with nothing in it expanded. */
const word = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
