// kill -9 at random instants under traffic: nothing acknowledged is lost, nothing is counted twice.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ApiError, NoAnswer } from './support/client.ts';
import type { NewTip, Tip, TipReceipt } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { randomFor } from './support/random.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithOpenRoom,
  earned,
  guest,
  newTip,
  settledBooks,
  sumOf,
} from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { inParallel, pacer, waitFor } from './support/wait.ts';

const random = randomFor('crash');
const clients = 8;
const tipsPerSecondAndClient = 60;
const kills = 3;
const duplicateChance = 0.1;

/** What a client knows about one of its tips. */
interface TipRecord {
  tip: NewTip;
  viewerId: number;
  requests: number;
  /** Every receipt that came; empty while the outcome is unknown. */
  receipts: { status: number; receipt: TipReceipt }[];
}

describe.each(storesToTest())('a node that is killed under traffic on %s', (store) => {
  let node: TipflowNode;
  let hosts: AnchorStory[];
  let fans: ViewerStory[];
  const records: TipRecord[] = [];
  const refused: string[] = [];
  let broken = 0;
  let refusedAsAway = 0;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
    hosts = await Promise.all(Array.from({ length: 3 }, () => anchorWithOpenRoom(node)));
    fans = await Promise.all(Array.from({ length: clients }, () => guest(node)));
  });

  afterAll(async () => node?.dispose());

  /** Sends a tip once and writes down what came back. Whatever is not an answer leaves the outcome unknown. */
  async function sendAndRecord(fan: ViewerStory, record: TipRecord): Promise<boolean> {
    ++record.requests;
    let answer: Answer<TipReceipt>;
    try {
      answer = await fan.client.sendTip(record.tip, { timeoutMs: 10_000 });
    } catch (error) {
      if (error instanceof NoAnswer) ++broken;
      else if (error instanceof ApiError && (error.status === 503 || error.status === 504)) ++refusedAsAway;
      else refused.push((error as Error).message);
      return false;
    }
    record.receipts.push({ status: answer.status, receipt: answer.body });
    return true;
  }

  const acknowledged = (): number => records.filter((record) => record.receipts.length > 0).length;

  test('is killed three times while clients tip and repeat themselves', { timeout: 90_000 }, async () => {
    let running = true;
    const tipping = fans.map(async (fan) => {
      const own: TipRecord[] = [];
      const beat = pacer(1_000 / tipsPerSecondAndClient);
      while (running) {
        await beat();
        const earlier = own.length > 0 && random.chance(duplicateChance) ? random.pick(own) : undefined;
        if (earlier !== undefined) {
          await sendAndRecord(fan, earlier);
          continue;
        }
        const tip = newTip(random.pick(hosts).roomId, random.integer(1, 99_999), {
          giftId: random.integer(0, 9),
          count: random.integer(1, 99),
        });
        const record: TipRecord = { tip, viewerId: fan.viewer.id, requests: 0, receipts: [] };
        own.push(record);
        records.push(record);
        // Some send the same tip twice at the same instant; others repeat it at once when there was no answer.
        if (random.chance(duplicateChance / 2)) {
          await Promise.all([sendAndRecord(fan, record), sendAndRecord(fan, record)]);
        } else if (!(await sendAndRecord(fan, record)) && random.chance(0.5)) {
          await sendAndRecord(fan, record);
        }
      }
    });

    const killing = (async () => {
      for (let kill = 0; kill < kills; ++kill) {
        const before = acknowledged();
        await waitFor('200 more tips are acknowledged', () => acknowledged() >= before + 200);
        // The instant of the kill is the point: it must fall anywhere in the middle of the work.
        await pause(random.integer(0, 700));
        await node.kill();
        await node.launch();
      }
      const before = acknowledged();
      await waitFor('200 more tips are acknowledged after the last restart', () => acknowledged() >= before + 200);
    })();
    try {
      await killing;
    } finally {
      running = false;
      await Promise.all(tipping);
    }

    expect(refused, 'a node that comes back refuses none of these tips').toEqual([]);
    const unknown = records.filter((record) => record.receipts.length === 0).length;
    console.log(
      `crash on ${store}: ${records.length} tips, ${records.reduce((sum, each) => sum + each.requests, 0)} requests, ` +
        `${broken} broken connections, ${refusedAsAway} answers 503 or 504, ${unknown} outcomes unknown`,
    );
    expect(broken + refusedAsAway, 'the kills were felt').toBeGreaterThan(0);
    expect(records.some((record) => record.requests > 1)).toBe(true);
  });

  test('gives every repeated request the answer of the first', () => {
    for (const { tip, receipts } of records) {
      expect(new Set(receipts.map((each) => each.receipt.tipId)).size, tip.traceId).toBeLessThanOrEqual(1);
      expect(new Set(receipts.map((each) => each.receipt.acceptedAt)).size, tip.traceId).toBeLessThanOrEqual(1);
      expect(receipts.filter((each) => each.status === 201).length, tip.traceId).toBeLessThanOrEqual(1);
    }
    const ids = records.flatMap((record) => record.receipts[0]?.receipt.tipId ?? []);
    expect(new Set(ids).size, 'no two tips share an id').toBe(ids.length);
  });

  test('has each tip of unknown outcome 0 or 1 times, and exactly once after a retry', async () => {
    const admin = await node.asAdmin();
    const there = new Map<string, number>();
    for (const tip of await admin.allTips()) there.set(tip.traceId, (there.get(tip.traceId) ?? 0) + 1);
    for (const { tip, receipts } of records) {
      if (receipts.length > 0) expect(there.get(tip.traceId), `acknowledged tip ${tip.traceId}`).toBe(1);
      else expect(there.get(tip.traceId) ?? 0, `tip of unknown outcome ${tip.traceId}`).toBeLessThanOrEqual(1);
    }

    const unknown = records.filter((record) => record.receipts.length === 0);
    await inParallel(unknown, 8, async (record) => {
      const fan = fans.find((each) => each.viewer.id === record.viewerId) as ViewerStory;
      await waitFor(`an answer for ${record.tip.traceId}`, () => sendAndRecord(fan, record));
      const status = record.receipts[0]?.status;
      expect(status, record.tip.traceId).toBe(there.has(record.tip.traceId) ? 200 : 201);
    });
  });

  test('has every tip exactly once, field for field', async () => {
    const admin = await node.asAdmin();
    const expected = records
      .map(({ tip, viewerId, receipts }) => ({
        ...tip,
        viewerId,
        tipId: receipts[0]?.receipt.tipId,
        acceptedAt: receipts[0]?.receipt.acceptedAt,
        message: null,
      }))
      .sort(byTraceId);
    const found = (await admin.allTips())
      .map(({ anchorId: _anchor, anchorName: _name, viewerName: _viewer, ...fields }: Tip) => fields)
      .sort(byTraceId);
    expect(found).toEqual(expected);
  });

  test("settles every tip once: ledger and balances equal the clients' own sums", async () => {
    const admin = await node.asAdmin();
    const books = await settledBooks(admin, { withinMs: 50_000 });
    const own = { count: records.length, amount: sumOf(records.map((record) => record.tip)) };
    expect(books.tips).toEqual(own);
    expect(books.ledger).toEqual(own);
    expect(books.difference).toEqual({ count: 0, amount: 0 });

    for (const host of hosts) {
      const given = records.map((record) => record.tip).filter((tip) => tip.roomId === host.roomId);
      const settled = earned(given, host.shareBp);
      expect(await host.client.balance(host.anchor.id)).toMatchObject({ settled, available: settled });
    }
  });

  test('passes the audit', async () => {
    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
  });
});

const byTraceId = (a: { traceId: string }, b: { traceId: string }): number => (a.traceId < b.traceId ? -1 : 1);
