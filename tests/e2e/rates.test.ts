// The share rate of a tip is the one in force when it was accepted, however the rate changes under traffic.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newTraceId } from './support/ids.ts';
import type { ShareRate, TipReceipt } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { randomFor } from './support/random.ts';
import { anchorWithOpenRoom, guest, newTip, settledBooks } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { inParallel, pacer, waitUntil } from './support/wait.ts';

const random = randomFor('rates');
const viewers = 8;
const tipsPerSecondAndViewer = 40;
const changes = [3_333, 10_000, 0, 7_777];
const msBetweenChanges = 1_000;

/** The rule, written down a second time: the newest rate that started at or before the tip; else the first one. */
function rateAt(rates: readonly ShareRate[], acceptedAt: string, fallback: number): number {
  let found = { shareBp: fallback, from: -Infinity };
  for (const rate of rates) {
    const from = Date.parse(rate.effectiveFrom);
    if (from <= Date.parse(acceptedAt) && from >= found.from) found = { shareBp: rate.shareBp, from };
  }
  return found.shareBp;
}

describe.each(storesToTest())('the share rate on %s', (store) => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
  });

  afterAll(async () => node?.dispose());

  test('changes under traffic, and every tip is shared by the rate in force when it was accepted', async () => {
    const admin = await node.asAdmin();
    const host = await anchorWithOpenRoom(node);
    const fans = await Promise.all(Array.from({ length: viewers }, () => guest(node)));
    const sent: (TipReceipt & { amount: number; reader: number })[] = [];
    const announced: ShareRate[] = [];
    let running = true;

    const tipping = fans.map(async ({ client }, reader) => {
      const beat = pacer(1_000 / tipsPerSecondAndViewer);
      while (running) {
        const tip = newTip(host.roomId, random.integer(1, 9_999));
        const { body } = await client.sendTip(tip);
        sent.push({ ...body, amount: tip.amount, reader });
        await beat();
      }
    });
    const changing = (async () => {
      const beat = pacer(msBetweenChanges);
      for (const shareBp of changes) {
        await beat();
        const asked = Date.now();
        const rate = await admin.setShareRate(host.anchor.id, { shareBp });
        expect(rate.shareBp).toBe(shareBp);
        // The clocks are the same machine's; the answer must name an instant that nobody has tipped at yet.
        expect(Date.parse(rate.effectiveFrom)).toBeGreaterThanOrEqual(asked + 2_000);
        announced.push(rate);
      }
      const last = Date.parse(announced.at(-1)?.effectiveFrom ?? '');
      await waitUntil(
        'tips under the last rate',
        async () => sent.at(-1)?.acceptedAt ?? '',
        (at) => Date.parse(at) > last + 700,
      );
    })();
    try {
      await changing;
    } finally {
      running = false;
      await Promise.all(tipping);
    }
    await settledBooks(admin);

    let units = 0n;
    const byRate = new Map<number, number>();
    const journeys = await inParallel(sent, 8, async (tip) =>
      (fans[tip.reader] as (typeof fans)[number]).client.journey(tip.traceId),
    );
    for (const [index, tip] of sent.entries()) {
      const shareBp = rateAt(announced, tip.acceptedAt, host.shareBp);
      const anchorUnits = BigInt(tip.amount) * BigInt(shareBp);
      const settled = journeys[index]?.settlement;
      expect(
        { shareBp: settled?.shareBp, anchorUnits: BigInt(settled?.anchorUnits ?? -1) },
        `tip ${tip.traceId} of ${tip.amount} fen accepted at ${tip.acceptedAt}`,
      ).toEqual({ shareBp, anchorUnits });
      units += anchorUnits;
      byRate.set(shareBp, (byRate.get(shareBp) ?? 0) + 1);
    }

    expect([...byRate.keys()].sort(), 'each rate was in force for some of the tips').toEqual(
      [host.shareBp, ...changes].sort(),
    );
    expect(sent.length).toBeGreaterThan(1_000);
    const balance = await host.client.balance(host.anchor.id);
    expect(BigInt(balance.settled)).toBe(units / 10_000n);

    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
  });

  test('keeps the fractions of a fen until they make a whole one', async () => {
    const host = await anchorWithOpenRoom(node);
    const admin = await node.asAdmin();
    const rate = await admin.setShareRate(host.anchor.id, { shareBp: 3_333 });
    const { client } = await guest(node);
    const clock = async (): Promise<number> => Date.parse((await host.client.balance(host.anchor.id)).asOf);
    await waitUntil('the rate is in force', clock, (now) => now > Date.parse(rate.effectiveFrom));

    // Nine tips of 1 fen at 33.33 % are 29,997 units: 2 fen and a remainder, never 9 times nothing.
    for (let tip = 0; tip < 9; ++tip) await client.sendTip(newTip(host.roomId, 1));
    await settledBooks(admin);
    expect((await host.client.balance(host.anchor.id)).settled).toBe(2);
    // The tenth brings 33,330 units: the remainder was kept.
    await client.sendTip(newTip(host.roomId, 1));
    await settledBooks(admin);
    expect((await host.client.balance(host.anchor.id)).settled).toBe(3);
  });

  test('can be announced for later, and its history keeps every rate', async () => {
    const host = await anchorWithOpenRoom(node);
    const admin = await node.asAdmin();
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const soon = await admin.setShareRate(host.anchor.id, { shareBp: 6_000 });
    const announced = await admin.setShareRate(host.anchor.id, { shareBp: 8_000, effectiveFrom: later });
    expect(announced).toMatchObject({ shareBp: 8_000, effectiveFrom: later });

    const history = await host.client.shareRates(host.anchor.id);
    const entries = history.map(({ shareBp, effectiveFrom }) => ({ shareBp, effectiveFrom }));
    expect(entries).toContainEqual({ shareBp: 8_000, effectiveFrom: later });
    expect(entries).toContainEqual({ shareBp: 6_000, effectiveFrom: soon.effectiveFrom });
    expect(entries.map((rate) => Date.parse(rate.effectiveFrom))).toEqual(
      entries.map((rate) => Date.parse(rate.effectiveFrom)).sort((a, b) => b - a),
    );
  });

  test('cannot start in the past, leave its range, or be changed by an anchor', async () => {
    const host = await anchorWithOpenRoom(node);
    const admin = await node.asAdmin();
    const before = await host.client.shareRates(host.anchor.id);
    const past = new Date(Date.now() - 60_000).toISOString();

    await expect(admin.setShareRate(host.anchor.id, { shareBp: 6_000, effectiveFrom: past })).rejects.toMatchObject({
      status: 422,
      code: 'effective_from_in_past',
    });
    for (const shareBp of [-1, 10_001]) {
      await expect(admin.setShareRate(host.anchor.id, { shareBp })).rejects.toMatchObject({
        status: 400,
        code: 'invalid_request',
        errors: [{ field: 'shareBp', code: 'out_of_range' }],
      });
    }
    await expect(host.client.setShareRate(host.anchor.id, { shareBp: 10_000 })).rejects.toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    expect(await host.client.shareRates(host.anchor.id)).toEqual(before);
  });

  test('of an unknown anchor cannot be set', async () => {
    const admin = await node.asAdmin();
    await expect(admin.setShareRate(999_999_999, { shareBp: 6_000 })).rejects.toMatchObject({
      status: 404,
      code: 'anchor_not_found',
    });
  });

  test('that a tip was shared by is shown on its journey, with parts that sum to the tip', async () => {
    const host = await anchorWithOpenRoom(node);
    const { client } = await guest(node);
    const traceId = newTraceId();
    await client.sendTip(newTip(host.roomId, 12_345, { traceId }));
    const { settlement } = await waitUntil(
      'the tip is settled',
      () => client.journey(traceId),
      (journey) => journey.settlement !== null,
    );
    expect(settlement?.shareBp).toBe(host.shareBp);
    expect(BigInt(settlement?.anchorUnits ?? -1)).toBe(12_345n * BigInt(host.shareBp));
    expect(BigInt(settlement?.anchorUnits ?? -1) + BigInt(settlement?.platformUnits ?? -1)).toBe(12_345n * 10_000n);
  });
});
