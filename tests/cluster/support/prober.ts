// Viewers who tip at a steady pace and write down every request and every answer. Each tip is sent until it is
// acknowledged; what came of each request is kept.
import { setTimeout as pause } from 'node:timers/promises';
import { ApiError, NoAnswer } from '../../e2e/support/client.ts';
import type { NewTip } from '../../e2e/support/model.ts';
import type { TipflowNode } from '../../e2e/support/node.ts';
import { type ViewerStory, anchorWithOpenRoom, guest, newTip } from '../../e2e/support/stories.ts';

export interface Asked {
  /** When it was due, and when its answer came, in ms since 1970. */
  at: number;
  answeredAt: number;
  fine: boolean;
  /** What a failure said. */
  text: string;
  /** It met a connection that was just being closed, and was sent again, as HTTP clients do. */
  stale: boolean;
}

export interface ProbedTip {
  tip: NewTip;
  viewerId: number;
  tipId: number | undefined;
  /** How often it was answered `created`. */
  made: number;
}

const viewers = 8;
const againAfterMs = 100;

export class Prober {
  readonly requests: Asked[] = [];
  readonly tips: ProbedTip[] = [];
  private stopping = false;
  private running: Promise<unknown> | undefined;

  private constructor(
    private readonly people: readonly ViewerStory[],
    private readonly roomId: number,
  ) {}

  static async gather(node: TipflowNode): Promise<Prober> {
    const host = await anchorWithOpenRoom(node);
    const people = await Promise.all(
      Array.from({ length: viewers }, async () => {
        const story = await guest(node);
        return { ...story, client: story.client.withConnections(1) };
      }),
    );
    return new Prober(people, host.roomId);
  }

  /** Each viewer tips so many times a second, whatever the answers. */
  start(perSecond: number): void {
    this.stopping = false;
    this.running = Promise.all(this.people.map((person) => this.tipAway(person, 1_000 / perSecond)));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    for (const { client } of this.people) client.close();
  }

  private async tipAway(person: ViewerStory, everyMs: number): Promise<void> {
    let due = Date.now() + Math.random() * everyMs;
    while (!this.stopping) {
      await pause(Math.max(0, due - Date.now()));
      await this.tipOnce(person, due);
      due = Math.max(due + everyMs, Date.now());
    }
  }

  private async tipOnce({ client, viewer }: ViewerStory, due: number): Promise<void> {
    const tip = newTip(this.roomId, 1 + (this.tips.length % 9_999));
    const record: ProbedTip = { tip, viewerId: viewer.id, tipId: undefined, made: 0 };
    this.tips.push(record);
    for (let at = due; record.tipId === undefined; at = Date.now()) {
      const asked: Asked = { at, answeredAt: 0, fine: false, text: '', stale: false };
      try {
        const { status, body } = await client.sendTip(tip, { timeoutMs: 35_000 });
        asked.fine = true;
        record.tipId = body.tipId;
        if (status === 201) ++record.made;
      } catch (error) {
        if (!(error instanceof ApiError || error instanceof NoAnswer)) throw error;
        asked.text = error.message;
        asked.stale = error instanceof NoAnswer && error.stale;
      }
      asked.answeredAt = Date.now();
      this.requests.push(asked);
      if (!asked.fine && !asked.stale) await pause(againAfterMs);
    }
  }
}
