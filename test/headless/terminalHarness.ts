import { type ChildProcess, spawn } from 'node:child_process';
import { until } from './until.ts';

/** Runs a program on a pseudo-terminal of its own. Lines of its input: `size ROWS COLUMNS`, `keys HEX`. */
const RELAY = `
import fcntl, os, pty, select, signal, struct, sys, termios
def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    # The size is there before the program looks.
    size(0, int(sys.argv[1]), int(sys.argv[2]))
    os.execvp(sys.argv[3], sys.argv[3:])
commands = b''
inputs = [fd, 0]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            inputs.remove(0)
        commands += data
        *lines, commands = commands.split(b'\\n')
        for line in lines:
            words = line.decode().split()
            if words[0] == 'size':
                size(fd, int(words[1]), int(words[2]))
                os.kill(pid, signal.SIGWINCH)
            else:
                os.write(fd, bytes.fromhex(words[1]))
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b''
        if not data:
            break
        os.write(1, data)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
`;

/** A program as a person sees it in a terminal. */
export interface Shown {
  /** All that it wrote so far, control sequences included, with ␛ for the escape character. */
  readonly output: () => string;
  sees(text: string | RegExp, what?: string): Promise<void>;
  resize(rows: number, columns: number): void;
  press(keys: string): void;
  /** Waits for its end, and gives the exit status. */
  ended(): Promise<number | null>;
  kill(): void;
}

/** Shows a program in a terminal of so many rows and columns. Needs python3. */
export function showInTerminal(
  command: readonly string[],
  {
    rows,
    columns,
    env,
  }: { readonly rows: number; readonly columns: number; readonly env: NodeJS.ProcessEnv },
): Shown {
  const args = ['-c', RELAY, String(rows), String(columns), ...command];
  const child: ChildProcess = spawn('python3', args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text.replaceAll('\x1b', '␛');
  });
  const end = new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  return {
    output: () => output,
    sees: (text, what = String(text)) =>
      until(
        () => (typeof text === 'string' ? output.includes(text) : text.test(output)),
        `${what} on the screen`,
        30_000,
      ),
    resize: (r, c) => void child.stdin!.write(`size ${r} ${c}\n`),
    press: (keys) => void child.stdin!.write(`keys ${Buffer.from(keys).toString('hex')}\n`),
    ended: () => end,
    kill: () => void child.kill(),
  };
}
