// How a fault is judged.
import { expect, test } from 'vitest';
import { longestGap, recovery, table } from './support/figures.ts';
import type { Second } from './support/load.ts';
import { ticksIn } from './support/stolen.ts';

const answer = (answeredAt: number, fine = true) => ({ at: answeredAt, answeredAt, fine, text: '', stale: false });
const second = (at: number, p99Ms: number | null): Second => ({ at: at * 1_000, perSecond: p99Ms === null ? 0 : 100, errorsPerSecond: 0, p99Ms });

test('the longest gap is the longest time without a success, also before the first and after the last', () => {
  expect(longestGap([answer(10), answer(20), answer(70, false), answer(90)], 0, 100)).toBe(70);
  expect(longestGap([answer(50)], 0, 100)).toBe(50);
  expect(longestGap([], 0, 100)).toBe(100);
});

test('it is over when three seconds in a row are as fast as before', () => {
  const seconds = [1, 2, 3].map((at) => second(at, 20)).concat([second(4, 900), second(5, 20), second(6, 900), second(7, 30), second(8, 20), second(9, 20)]);
  expect(recovery(seconds, 3_000, 3_500)).toBe(2_500);
  expect(recovery(seconds, 3_000, 6_500)).toBe(0);
});

test('it is not over while nothing is answered, nor while answers are slow', () => {
  const before = [1, 2, 3].map((at) => second(at, 20));
  expect(recovery([...before, second(4, null), second(5, null), second(6, null)], 3_000, 3_000)).toBe(Infinity);
  expect(recovery([...before, second(4, 200), second(5, 200), second(6, 200)], 3_000, 3_000)).toBe(Infinity);
});

test('a slower machine has a slower normal', () => {
  const seconds = [1, 2, 3].map((at) => second(at, 100)).concat([4, 5, 6].map((at) => second(at, 290)));
  expect(recovery(seconds, 3_000, 3_000)).toBe(0);
});

test('the table has a line for each fault', () => {
  const rows = [{ fault: 'kill -9', requests: 20_000, failures: 3, sentAgain: 2, longestGapMs: 120, recoveredMs: 900, stolen: 0.253 }];
  expect(table(rows).split('\n')[1]).toMatch(/^kill -9 +20,000 +3 \(0\.015 %\) +2 +120 ms +0\.9 s +25 %$/);
});

test('what the host took is told by the kernel', () => {
  expect(ticksIn('cpu  10 1 5 100 2 0 1 40 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n')).toEqual({ stolen: 40, all: 159 });
});
