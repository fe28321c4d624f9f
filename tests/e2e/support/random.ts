// Randomness that can be repeated: every suite prints its seed, and TIPFLOW_E2E_SEED sets it.
import { randomInt } from 'node:crypto';

export class Random {
  readonly seed: number;
  private state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.state = this.seed;
  }

  /** A number in [0, 1) (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('nothing to pick from');
    return items[this.integer(0, items.length - 1)] as T;
  }
}

/** The generator of one suite; its seed is printed so that a failure can be repeated. */
export function randomFor(suite: string): Random {
  const given = process.env['TIPFLOW_E2E_SEED'];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  if (!Number.isInteger(seed)) throw new Error(`TIPFLOW_E2E_SEED is not an integer: ${given}`);
  console.log(`${suite}: TIPFLOW_E2E_SEED=${seed}`);
  return new Random(seed);
}
