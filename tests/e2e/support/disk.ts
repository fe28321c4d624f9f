// A directory whose disk can be filled up and freed again: a small tmpfs where mounting is allowed; elsewhere the
// processes that write there are refused by fault injection, as a full disk would.
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory, removeDirectory, run } from './processes.ts';
import { Fault, writeCalls } from './strace.ts';

export class SmallDisk {
  private faults: Fault[] = [];

  private constructor(
    private readonly mountPoint: string,
    private readonly mounted: boolean,
  ) {}

  static async make(megabytes: number): Promise<SmallDisk> {
    const mountPoint = makeDirectory('disk');
    const { code, stderr } = await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', mountPoint]);
    if (code !== 0) console.log(`disk full: may not mount here (${stderr.trim()}); writes are refused with ENOSPC instead`);
    const disk = new SmallDisk(mountPoint, code === 0);
    mkdirSync(disk.directory, { mode: 0o700 });
    return disk;
  }

  /** For data; the filler lies beside it. */
  get directory(): string {
    return join(this.mountPoint, 'data');
  }

  /** Not a byte is left for the processes `pids`. */
  async fill(pids: readonly number[]): Promise<void> {
    if (!this.mounted) {
      this.faults = await Promise.all(pids.map((pid) => Fault.inject(pid, writeCalls, 'ENOSPC')));
      return;
    }
    const file = openSync(join(this.mountPoint, 'filler'), 'a');
    try {
      for (let size = 1_048_576; size >= 1; size = Math.floor(size / 4)) {
        const chunk = Buffer.alloc(size, 1);
        for (;;) if (writeSync(file, chunk) < size) break;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  async free(): Promise<void> {
    await Promise.all(this.faults.map((fault) => fault.end()));
    this.faults = [];
    rmSync(join(this.mountPoint, 'filler'), { force: true });
  }

  /** What writes there must have ended before. */
  async dispose(): Promise<void> {
    await this.free();
    if (this.mounted) await run('umount', ['-l', this.mountPoint]);
    removeDirectory(this.mountPoint);
  }
}
