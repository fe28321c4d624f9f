// Viewers who tip, repeat themselves and change their mind while things break around them. They write down every
// request and its answer; books.ts compares that record with the databases.
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, NoAnswer } from './client.ts';
import type { NewTip, TipReceipt } from './model.ts';
import type { TipflowNode } from './node.ts';
import type { Random } from './random.ts';
import { type AnchorStory, type ViewerStory, anchorWithOpenRoom, guest, newTip } from './stories.ts';
import { inParallel, pacer, waitFor } from './wait.ts';

/** What an answer says about a tip. `unavailable`: certainly not written; `unknown`: no answer, or 504. */
export type Outcome = 'created' | 'exists' | 'conflict' | 'refused' | 'unavailable' | 'unknown';

export interface Request {
  /** What was sent; differs from the tip's own amount when the viewer tried to change it. */
  amount: number;
  outcome: Outcome;
  startedAt: number;
  endedAt: number;
  receipt?: TipReceipt;
  /** What a refusal or a missing answer said. */
  text?: string;
}

export interface TipRecord {
  tip: Required<NewTip>;
  viewer: ViewerStory;
  anchorId: number;
  requests: Request[];
}

export const acknowledged = ({ outcome }: Request): boolean => outcome === 'created' || outcome === 'exists';
export const receiptOf = (record: TipRecord): TipReceipt | undefined => record.requests.find(acknowledged)?.receipt;
/** Every request was answered "certainly not written". */
export const neverTaken = ({ requests }: TipRecord): boolean =>
  requests.every(({ outcome }) => outcome === 'unavailable' || outcome === 'refused');

export interface CrowdOptions {
  viewers?: number;
  rooms?: number;
  /** Requests a second of each viewer while all is well. */
  pace?: number;
  duplicates?: number;
  conflicts?: number;
}

export class Crowd {
  readonly records: TipRecord[] = [];
  private running: Promise<unknown> | undefined;
  private stopping = false;
  private acknowledgedCount = 0;

  private constructor(
    private readonly random: Random,
    readonly anchors: readonly AnchorStory[],
    private readonly viewers: readonly ViewerStory[],
    private readonly options: Required<CrowdOptions>,
  ) {}

  static async gather(node: TipflowNode, random: Random, options: CrowdOptions = {}): Promise<Crowd> {
    const all = { viewers: 24, rooms: 5, pace: 40, duplicates: 0.05, conflicts: 0.01, ...options };
    const anchors = await inParallel(Array.from({ length: all.rooms }), 4, () => anchorWithOpenRoom(node));
    const viewers = await inParallel(Array.from({ length: all.viewers }), 8, async () => {
      const story = await guest(node);
      return { ...story, client: story.client.withConnections(2) };
    });
    return new Crowd(random, anchors, viewers, all);
  }

  /** How many requests were answered "it is there". */
  get acknowledged(): number {
    return this.acknowledgedCount;
  }

  get requests(): Request[] {
    return this.records.flatMap((record) => record.requests);
  }

  start(): void {
    this.stopping = false;
    this.running = Promise.all(this.viewers.map((viewer) => this.tipAway(viewer)));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    this.running = undefined;
  }

  /** Waits until so many more requests have been acknowledged. */
  async untilAcknowledged(more: number, withinMs = 30_000): Promise<void> {
    const before = this.acknowledgedCount;
    await waitFor(`${more} more tips are acknowledged`, () => this.acknowledgedCount >= before + more, {
      withinMs,
      everyMs: 5,
    });
  }

  /** Sends a tip once more and writes down what came back. */
  async send(record: TipRecord, amount = record.tip.amount): Promise<Request> {
    const request: Request = { amount, outcome: 'unknown', startedAt: Date.now(), endedAt: 0 };
    try {
      const { body } = await record.viewer.client.sendTip({ ...record.tip, amount }, { timeoutMs: 15_000 });
      request.outcome = body.status;
      request.receipt = body;
      ++this.acknowledgedCount;
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof NoAnswer)) throw error;
      request.text = error.message;
      request.outcome = outcomeOf(error);
    }
    request.endedAt = Date.now();
    record.requests.push(request);
    return request;
  }

  /** One line for people: what happened. */
  summary(): string {
    const counts = new Map<Outcome, number>();
    for (const { outcome } of this.requests) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    const shown = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    return `${this.records.length} tips, ${this.requests.length} requests: ${shown}`;
  }

  /** The record as `tipflow audit --record` reads it: a line a request. */
  writeRecord(file: string): void {
    const lines = this.records.flatMap(({ tip, viewer, requests }) =>
      requests.map(({ amount, outcome, receipt }) =>
        JSON.stringify({
          traceId: tip.traceId,
          viewerId: viewer.viewer.id,
          roomId: tip.roomId,
          amount,
          giftId: tip.giftId,
          count: tip.count,
          outcome,
          ...(receipt === undefined ? {} : { tipId: receipt.tipId }),
        }),
      ),
    );
    writeFileSync(file, `${lines.join('\n')}\n`);
  }

  private async tipAway(viewer: ViewerStory): Promise<void> {
    const { random, options } = this;
    const own: TipRecord[] = [];
    const beat = pacer(1_000 / options.pace);
    while (!this.stopping) {
      await beat();
      const earlier = own.length > 0 ? random.pick(own) : undefined;
      if (earlier !== undefined && random.chance(options.conflicts) && receiptOf(earlier) !== undefined) {
        await this.send(earlier, earlier.tip.amount + 1);
      } else if (earlier !== undefined && random.chance(options.duplicates)) {
        await this.send(earlier);
      } else {
        const record = this.newRecord(viewer);
        own.push(record);
        // Some send the same tip twice at the same instant.
        const both = random.chance(options.duplicates / 2);
        await Promise.all([this.sendPatiently(record), ...(both ? [this.send(record)] : [])]);
      }
    }
  }

  private newRecord(viewer: ViewerStory): TipRecord {
    const { random } = this;
    const host = random.pick(this.anchors);
    const tip = newTip(host.roomId, random.integer(1, 99_999), {
      giftId: random.integer(0, 9),
      count: random.integer(1, 99),
      message: random.chance(0.1) ? '加油 ✨' : '',
    });
    const record = { tip: tip as Required<NewTip>, viewer, anchorId: host.anchor.id, requests: [] };
    this.records.push(record);
    return record;
  }

  // Most people try again after a moment when they hear nothing; some give up, and nobody knows what became of it.
  private async sendPatiently(record: TipRecord): Promise<void> {
    for (;;) {
      const { outcome } = await this.send(record);
      if ((outcome !== 'unknown' && outcome !== 'unavailable') || this.stopping || this.random.chance(0.3)) return;
      await pause(this.random.integer(10, 60));
    }
  }
}

function outcomeOf(error: ApiError | NoAnswer): Outcome {
  // Nobody listened: nothing was sent.
  if (error instanceof NoAnswer) return error.message.includes('ECONNREFUSED') ? 'unavailable' : 'unknown';
  if (error.status === 503) return 'unavailable';
  if (error.status === 504) return 'unknown';
  return error.code === 'trace_id_conflict' ? 'conflict' : 'refused';
}
