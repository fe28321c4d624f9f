// Makes system calls of a running process fail, by strace's fault injection, and lets them work again.
import { join } from 'node:path';
import { Process, makeDirectory, removeDirectory, tailOf } from './processes.ts';
import { waitFor } from './wait.ts';

/** The calls by which SQLite and InnoDB make data durable. */
export const syncCalls = 'fsync,fdatasync';
/** The calls that fail when a disk is full; the second line is how files are made larger. */
export const writeCalls = 'pwrite64,pwritev,io_submit,fallocate,ftruncate';

export class Fault {
  private constructor(
    private readonly strace: Process,
    private readonly directory: string,
  ) {}

  /** From now on every one of `calls` in process `pid` fails with `error`. */
  static async inject(pid: number, calls: string, error: 'EIO' | 'ENOSPC'): Promise<Fault> {
    const directory = makeDirectory('strace');
    const logFile = join(directory, 'attached.log');
    const strace = Process.start(
      'strace',
      ['-f', '-p', String(pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}`, '-o', join(directory, 'calls.log')],
      { cwd: directory, logFile },
    );
    const fault = new Fault(strace, directory);
    await waitFor(
      'strace is attached',
      () => {
        if (strace.exit !== undefined) {
          throw new Error(`strace ended (it needs root, or kernel.yama.ptrace_scope=0): ${tailOf(logFile, 500)}`);
        }
        return /attached/.test(tailOf(logFile, 100_000));
      },
      { withinMs: 10_000 },
    );
    return fault;
  }

  /** How many calls were made to fail so far. */
  get injected(): number {
    return (tailOf(join(this.directory, 'calls.log'), 100_000_000).match(/\(INJECTED\)/g) ?? []).length;
  }

  /** The calls work again. */
  async end(): Promise<void> {
    await this.strace.end('SIGINT', 10_000);
    removeDirectory(this.directory);
  }
}
