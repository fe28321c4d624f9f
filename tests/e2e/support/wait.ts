// Waiting for a condition with a deadline. Nothing here waits for a fixed time and hopes.
import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** The longest time to wait. */
  withinMs?: number;
  /** The pause between two looks. */
  everyMs?: number;
}

/**
 * Looks until `look` answers something other than `undefined` or `false`, and answers that. What `look` throws
 * counts as "not yet" and is shown when the deadline passes.
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 20_000, everyMs = 25 }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) {
      const reason = last === undefined ? '' : ` Last error: ${last instanceof Error ? last.message : String(last)}`;
      throw new Error(`Not within ${withinMs} ms: ${what}.${reason}`, { cause: last });
    }
    await pause(everyMs);
  }
}

/** Looks until `holds` is true of what `look` answers; shows the last value when the deadline passes. */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T>,
  holds: (value: T) => boolean,
  options: WaitOptions = {},
): Promise<T> {
  let seen: { value: T } | undefined;
  try {
    return await waitFor(
      what,
      async () => {
        seen = { value: await look() };
        return holds(seen.value) ? seen : undefined;
      },
      options,
    ).then((found) => found.value);
  } catch (error) {
    if (seen === undefined) throw error;
    throw new Error(`${(error as Error).message} Last seen: ${JSON.stringify(seen.value)}`, { cause: error });
  }
}

/** Keeps a steady pace: each call resolves when the next beat is due, at once when it is late. */
export function pacer(everyMs: number): () => Promise<void> {
  let next = performance.now();
  return async () => {
    next = Math.max(next + everyMs, performance.now() - everyMs);
    const early = next - performance.now();
    if (early > 0) await pause(early);
  };
}

/** Runs `work` over `items` with at most `width` at a time; answers in the order of `items`. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
