// What the host of a virtual machine kept of its processors: nothing that runs on the machine can answer meanwhile.
import { readFileSync } from 'node:fs';

const lookEveryMs = 1_000;

interface Ticks {
  stolen: number;
  all: number;
}

/** Since the machine started, from the text of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
export function ticksIn(stat: string): Ticks {
  const [line = ''] = stat.split('\n', 1);
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  return { stolen: ticks[7] ?? 0, all: ticks.reduce((sum, each) => sum + each, 0) };
}

const now = (): Ticks => ticksIn(readFileSync('/proc/stat', 'utf8'));

/** From 0 to 1, the largest part of the processors that was taken away in any second from here to `stop`. */
export class Stolen {
  private last = now();
  private most = 0;
  private readonly timer = setInterval(() => this.look(), lookEveryMs).unref();

  stop(): number {
    clearInterval(this.timer);
    return this.most;
  }

  private look(): void {
    const { stolen, all } = now();
    if (all > this.last.all) this.most = Math.max(this.most, (stolen - this.last.stolen) / (all - this.last.all));
    this.last = { stolen, all };
  }
}
