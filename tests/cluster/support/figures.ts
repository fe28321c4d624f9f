// What a fault came to, from what was asked and answered. Pure.
import type { Second } from './load.ts';
import type { Asked } from './prober.ts';

export interface Figures {
  fault: string;
  requests: number;
  failures: number;
  /** Met a connection that nginx was just closing, being idle, for it reloads; HTTP clients send such a request again. */
  sentAgain: number;
  /** The longest time without a success, in ms. */
  longestGapMs: number;
  /** From the end of the fault until answers are as fast as before it; Infinity when they never were. */
  recoveredMs: number;
  /** From 0 to 1: the largest part of the processors that this machine's host took away in a second. */
  stolen: number;
}

/** Answers this fast are normal on a busy machine, whatever they were before. */
const alwaysNormalMs = 150;
const normalFactor = 3;
const secondsInARow = 3;

export function longestGap(requests: readonly Asked[], from: number, to: number): number {
  const answers = requests.filter(({ fine, answeredAt }) => fine && answeredAt >= from && answeredAt <= to).map(({ answeredAt }) => answeredAt);
  const instants = [from, ...answers.sort((a, b) => a - b), to];
  return Math.max(...instants.slice(1).map((instant, index) => instant - (instants[index] as number)));
}

export const median = (values: readonly number[]): number => {
  const ordered = [...values].sort((a, b) => a - b);
  return ordered[Math.floor(ordered.length / 2)] ?? Number.NaN;
};

/** How long after `mendedAt` the p99 of each second is, and stays, what it was in the seconds before `brokenAt`. */
export function recovery(seconds: readonly Second[], brokenAt: number, mendedAt: number): number {
  const before = seconds.filter(({ at }) => at <= brokenAt).flatMap(({ p99Ms }) => p99Ms ?? []);
  const normal = Math.max(alwaysNormalMs, normalFactor * median(before));
  const after = seconds.filter(({ at }) => at > mendedAt);
  for (let first = 0; first + secondsInARow <= after.length; ++first) {
    const row = after.slice(first, first + secondsInARow);
    if (row.every(({ p99Ms }) => p99Ms !== null && p99Ms <= normal)) {
      return Math.max(0, (row[0] as Second).at - 1_000 - mendedAt);
    }
  }
  return Infinity;
}

export function table(rows: readonly Figures[]): string {
  const cells = rows.map(({ fault, requests, failures, sentAgain, longestGapMs, recoveredMs, stolen }) => [
    fault,
    requests.toLocaleString('en'),
    `${failures} (${((100 * failures) / requests).toFixed(3)} %)`,
    String(sentAgain),
    `${longestGapMs.toFixed(0)} ms`,
    `${(recoveredMs / 1_000).toFixed(1)} s`,
    `${(100 * stolen).toFixed(0)} %`,
  ]);
  const all = [['fault', 'requests', 'failures', 'sent again', 'longest gap', 'time to recover', 'stolen'], ...cells];
  const widths = (all[0] as string[]).map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)));
  return all
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number))).join('  '))
    .join('\n');
}
