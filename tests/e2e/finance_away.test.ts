// When finance is away tips are still accepted, and nothing is wrong when it comes back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asHex } from './support/ids.ts';
import type { NewTip } from './support/model.ts';
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
import { inParallel, waitUntil } from './support/wait.ts';

const random = randomFor('finance_away');

describe.each(storesToTest())('while finance is away on %s', (store) => {
  let node: TipflowNode;
  let host: AnchorStory;
  let fan: ViewerStory;
  const tips: NewTip[] = [];
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
    host = await anchorWithOpenRoom(node);
    fan = await guest(node);
    const first = newTip(host.roomId, random.integer(1, 99_999));
    await fan.client.sendTip(first);
    tips.push(first);
    await settledBooks(await node.asAdmin());
    await node.restart(['anchor', 'audience', 'console']);
  });

  afterAll(async () => node?.dispose());

  test('tips are accepted, listed and known by their traceId', async () => {
    const fresh = Array.from({ length: 300 }, () => newTip(host.roomId, random.integer(1, 99_999)));
    const answers = await inParallel(fresh, 8, (tip) => fan.client.sendTip(tip));
    tips.push(...fresh);

    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    const listed = await fan.client.allTips();
    expect(listed.map((tip) => tip.traceId).sort()).toEqual(tips.map((tip) => tip.traceId).sort());
    expect((await fan.client.sendTip(fresh[0] as NewTip)).status).toBe(200);
  });

  test('a tip says on its journey that it is accepted and not settled yet', async () => {
    const tip = newTip(host.roomId, 4_200);
    await fan.client.sendTip(tip);
    tips.push(tip);
    expect((await fan.client.journey(tip.traceId)).settlement).toBeNull();
  });

  test('guests and anchors still arrive, and their tips are accepted too', async () => {
    const other = await anchorWithOpenRoom(node);
    const someone = await guest(node);
    const { status } = await someone.client.sendTip(newTip(other.roomId, 100));
    expect(status).toBe(201);
  });

  test('finance answers 503 role_unavailable with Retry-After, never a wrong number', async () => {
    const admin = await node.asAdmin();
    const id = host.anchor.id;
    const answers = [
      await host.client.call('GET', `/api/v1/finance/anchors/${id}/balance`),
      await host.client.call('GET', `/api/v1/finance/anchors/${id}/withdrawals`),
      await host.client.call('POST', `/api/v1/finance/anchors/${id}/withdrawals`, {
        json: { traceId: newTip(1, 1).traceId, amount: 1 },
      }),
      await host.client.call('GET', `/api/v1/finance/anchors/${id}/share-rates`),
      await admin.call('POST', `/api/v1/finance/anchors/${id}/share-rates`, { json: { shareBp: 5_000 } }),
      await admin.call('GET', '/api/v1/finance/reconciliation'),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
      expect(answer.body).toMatchObject({ status: 503, code: 'role_unavailable' });
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  test('an audit finds the ledger behind but nothing wrong', async () => {
    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
  });

  test('everything settles once finance is back, tip by tip', async () => {
    await node.restart('all');
    const admin = await node.asAdmin();
    const books = await settledBooks(admin, { withinMs: 40_000 });
    expect(books.difference).toEqual({ count: 0, amount: 0 });

    const balance = await waitUntil(
      'the balance has every tip',
      () => host.client.balance(host.anchor.id),
      (seen) => seen.settled >= earned(tips, host.shareBp),
    );
    expect(balance.settled).toBe(earned(tips, host.shareBp));
    const listed = await host.client.allTips({ roomId: host.roomId });
    expect(sumOf(listed)).toBe(sumOf(tips));
    const last = tips.at(-1) as NewTip;
    expect((await fan.client.journey(asHex(last.traceId))).settlement).toMatchObject({ shareBp: host.shareBp });

    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
  });
});
