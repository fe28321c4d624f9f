// A tip is never counted twice: whatever repeats a traceId, from wherever, in whatever order.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from './support/client.ts';
import { asHex, newTraceId, uuidv7 } from './support/ids.ts';
import type { BatchTip, Problem, TipReceipt } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { randomFor } from './support/random.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithOpenRoom,
  earned,
  guest,
  newTip,
  registeredAnchor,
  registeredViewer,
  settledBooks,
  sumOf,
} from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { inParallel } from './support/wait.ts';

const connections = 64;
const random = randomFor('duplicates');

describe.each(storesToTest())('a repeated traceId on %s', (store) => {
  let node: TipflowNode;
  let host: AnchorStory;
  let fan: ViewerStory;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
    host = await anchorWithOpenRoom(node);
    fan = await guest(node);
  });

  afterAll(async () => node?.dispose());

  /** Sends all tips at the same instant, each on a connection of its own. */
  async function race(tips: readonly object[]): Promise<Answer<TipReceipt>[]> {
    const racer = fan.client.withConnections(tips.length);
    try {
      await racer.warmUp(tips.length);
      const answers = await Promise.all(
        tips.map((tip) => racer.call<TipReceipt>('POST', '/api/v1/tips', { json: tip })),
      );
      expect(new Set(answers.map((answer) => answer.localPort)).size).toBe(tips.length);
      return answers;
    } finally {
      racer.close();
    }
  }

  const withStatus = (answers: Answer<TipReceipt>[], status: number): Answer<TipReceipt>[] =>
    answers.filter((answer) => answer.status === status);

  test('from 64 connections at once makes one tip, and all 64 learn the same tip', async () => {
    const tip = newTip(host.roomId, 5_200, { giftId: 3, count: 2, message: 'for you' });
    const answers = await race(new Array(connections).fill(tip));

    expect(withStatus(answers, 201)).toHaveLength(1);
    expect(withStatus(answers, 200)).toHaveLength(connections - 1);
    expect(withStatus(answers, 201)[0]?.body.status).toBe('created');
    expect(new Set(withStatus(answers, 200).map((answer) => answer.body.status))).toEqual(new Set(['exists']));
    expect(new Set(answers.map((answer) => answer.body.tipId)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.body.acceptedAt)).size).toBe(1);

    const listed = (await fan.client.allTips()).filter((each) => each.traceId === tip.traceId);
    expect(listed).toHaveLength(1);
    expect(listed[0]).toMatchObject({ ...tip, tipId: answers[0]?.body.tipId, viewerId: fan.viewer.id });
  });

  test('from 64 connections with 64 amounts keeps exactly one amount and refuses the others', async () => {
    const traceId = newTraceId();
    const tips = Array.from({ length: connections }, (_, index) =>
      newTip(host.roomId, 100 * (index + 1), { traceId }),
    );
    const answers = await race(tips);

    expect(withStatus(answers, 201)).toHaveLength(1);
    const refused = withStatus(answers, 422).map((answer) => answer.body as unknown as Problem);
    expect(refused).toHaveLength(connections - 1);
    expect(new Set(refused.map((problem) => problem.code))).toEqual(new Set(['trace_id_conflict']));

    const winner = answers.findIndex((answer) => answer.status === 201);
    expect((await fan.client.tip(traceId)).amount).toBe(tips[winner]?.amount);
  });

  test('from 64 connections with two amounts lets one amount win for all who sent it', async () => {
    const traceId = newTraceId();
    const tips = Array.from({ length: connections }, (_, index) =>
      newTip(host.roomId, index % 2 === 0 ? 700 : 900, { traceId }),
    );
    const answers = await race(tips);

    const { amount } = await fan.client.tip(traceId);
    expect([700, 900]).toContain(amount);
    expect(withStatus(answers, 201)).toHaveLength(1);
    for (const [index, answer] of answers.entries()) {
      if (tips[index]?.amount === amount) expect(answer.status).toBeOneOf([200, 201]);
      else expect(answer.status).toBe(422);
    }
  });

  test('is the same traceId with dashes, without, and in capitals', async () => {
    const traceId = uuidv7();
    const first = await fan.client.sendTip(newTip(host.roomId, 310, { traceId }));
    const plain = await fan.client.sendTip(newTip(host.roomId, 310, { traceId: asHex(traceId) }));
    const capitals = await fan.client.sendTip(newTip(host.roomId, 310, { traceId: traceId.toUpperCase() }));

    expect([first.status, plain.status, capitals.status]).toEqual([201, 200, 200]);
    expect(plain.body).toEqual({ ...first.body, status: 'exists' });
    expect(capitals.body).toEqual({ ...first.body, status: 'exists' });
    expect(first.body.traceId).toBe(asHex(traceId));
    expect(await fan.client.tip(traceId)).toEqual(await fan.client.tip(asHex(traceId)));
  });

  test('with another gift, count, room or viewer is refused, and the first tip stands unchanged', async () => {
    const tip = newTip(host.roomId, 640, { giftId: 5, count: 3 });
    await fan.client.sendTip(tip);
    const before = await fan.client.tip(tip.traceId);
    const elsewhere = await anchorWithOpenRoom(node);
    const stranger = await guest(node);

    const conflict = { status: 422, code: 'trace_id_conflict' };
    await expect(fan.client.sendTip({ ...tip, giftId: 6 })).rejects.toMatchObject(conflict);
    await expect(fan.client.sendTip({ ...tip, count: 4 })).rejects.toMatchObject(conflict);
    await expect(fan.client.sendTip({ ...tip, roomId: elsewhere.roomId })).rejects.toMatchObject(conflict);
    await expect(stranger.client.sendTip(tip)).rejects.toMatchObject(conflict);
    expect(await fan.client.tip(tip.traceId)).toEqual(before);
  });

  test('answers "exists" also after the room has closed', async () => {
    const show = await anchorWithOpenRoom(node);
    const tip = newTip(show.roomId, 450);
    const first = await fan.client.sendTip(tip);
    await show.client.closeRoom(show.roomId);

    const again = await fan.client.sendTip(tip);
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...first.body, status: 'exists' });
  });

  test('in a batch is answered in order, whatever the outcome of its neighbours', async () => {
    const admin = await node.asAdmin();
    const closed = await registeredAnchor(node);
    const minor = await registeredViewer(node, { age: 17 });
    const viewerId = fan.viewer.id;
    const earlier = newTip(host.roomId, 1_500);
    const { body: receipt } = await fan.client.sendTip(earlier);
    const a: BatchTip = { ...newTip(host.roomId, 110), viewerId };
    const b: BatchTip = { ...newTip(host.roomId, 120), viewerId };
    const tips: BatchTip[] = [
      a,
      { ...newTip(closed.roomId, 130), viewerId },
      a,
      { ...earlier, viewerId },
      { ...a, amount: 111 },
      b,
      { ...newTip(999_999_999, 140), viewerId },
      { ...newTip(host.roomId, 150), viewerId: minor.viewer.id },
      { ...newTip(host.roomId, 160), viewerId: 999_999_999 },
      { ...earlier, viewerId, amount: 1_501 },
      b,
    ];
    const outcomes = [
      'created',
      'room_not_live',
      'exists',
      'exists',
      'trace_id_conflict',
      'created',
      'room_not_found',
      'viewer_underage',
      'viewer_not_found',
      'trace_id_conflict',
      'exists',
    ];

    const results = await admin.sendBatch(tips);
    expect(results.map((result) => result.traceId)).toEqual(tips.map((tip) => tip.traceId));
    expect(results.map((result) => result.code ?? result.status)).toEqual(outcomes);
    for (const { status, code } of results) expect(status === 'rejected').toBe(typeof code === 'string');
    expect(results[2]?.tipId).toBe(results[0]?.tipId);
    expect(results[10]?.tipId).toBe(results[5]?.tipId);
    expect(results[3]?.tipId).toBe(receipt.tipId);

    const again = await admin.sendBatch(tips);
    expect(again.map((result) => result.code ?? result.status)).toEqual(
      outcomes.map((outcome) => (outcome === 'created' ? 'exists' : outcome)),
    );
    expect(again.map((result) => result.tipId)).toEqual(results.map((result) => result.tipId));
    expect((await admin.tip(a.traceId)).amount).toBe(110);
  });

  test('in batches and single requests at the same time is still one tip', async () => {
    const admin = await node.asAdmin();
    const tips = Array.from({ length: 40 }, () => newTip(host.roomId, random.integer(1, 9_999)));
    const batch = tips.map((tip) => ({ ...tip, viewerId: fan.viewer.id }));
    const outcomes = await Promise.all([
      admin.sendBatch(batch).then((results) => results.map((each) => ({ tipId: each.tipId, status: each.status }))),
      admin.sendBatch(batch.toReversed()).then((results) =>
        results.map((each) => ({ tipId: each.tipId, status: each.status })).toReversed(),
      ),
      inParallel(tips, 20, async (tip) => {
        const { body } = await fan.client.sendTip(tip);
        return { tipId: body.tipId, status: body.status };
      }),
    ]);

    for (const index of tips.keys()) {
      const answers = outcomes.map((each) => each[index]);
      expect(answers.map((answer) => answer?.status).sort()).toEqual(['created', 'exists', 'exists']);
      expect(new Set(answers.map((answer) => answer?.tipId)).size).toBe(1);
    }
  });

  test('among 16 clients that send the same 200 tips in different orders makes 200 tips', async () => {
    const show = await anchorWithOpenRoom(node);
    const tips = Array.from({ length: 200 }, () => newTip(show.roomId, random.integer(1, 100_000)));
    const racer = fan.client.withConnections(16);
    const created = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        const order = tips.map((tip) => ({ tip, at: random.next() })).sort((x, y) => x.at - y.at);
        for (const { tip } of order) {
          const { status } = await racer.sendTip(tip);
          if (status === 201) created.set(tip.traceId, (created.get(tip.traceId) ?? 0) + 1);
        }
      }),
    );
    racer.close();

    expect(created.size).toBe(tips.length);
    expect(new Set(created.values())).toEqual(new Set([1]));
    const listed = await show.client.allTips({ roomId: show.roomId });
    expect(listed.map((tip) => tip.traceId).sort()).toEqual(tips.map((tip) => tip.traceId).sort());
    expect(sumOf(listed)).toBe(sumOf(tips));

    await settledBooks(await node.asAdmin());
    expect((await show.client.balance(show.anchor.id)).settled).toBe(earned(tips, show.shareBp));
  });

  test('leaves books that agree', async () => {
    const books = await settledBooks(await node.asAdmin());
    expect(books.difference).toEqual({ count: 0, amount: 0 });
    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
  });
});
