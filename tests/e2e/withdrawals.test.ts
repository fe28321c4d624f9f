// An anchor gets what was earned, once: concurrent requests, repeats, and a payment provider that misbehaves.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from './support/client.ts';
import { newTraceId, uuidv7, asHex } from './support/ids.ts';
import type { Problem, Withdrawal } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { type AnchorStory, anchorWithBalance, registeredAnchor } from './support/stories.ts';
import { storesToTest } from './support/stores.ts';
import { waitUntil } from './support/wait.ts';

const connections = 64;

describe.each(storesToTest())('a withdrawal on %s', (store) => {
  let node: TipflowNode;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
  });

  afterEach(async () => (await node.asAdmin()).setSandbox('pay'));

  afterAll(async () => node?.dispose());

  /** Sends all requests at the same instant, each on a connection of its own. */
  async function race(
    story: AnchorStory,
    requests: readonly { traceId: string; amount: number }[],
  ): Promise<Answer<Withdrawal>[]> {
    const racer = story.client.withConnections(requests.length);
    const path = `/api/v1/finance/anchors/${story.anchor.id}/withdrawals`;
    try {
      await racer.warmUp(requests.length);
      const answers = await Promise.all(
        requests.map((request) => racer.call<Withdrawal>('POST', path, { json: request })),
      );
      expect(new Set(answers.map((answer) => answer.localPort)).size).toBe(requests.length);
      return answers;
    } finally {
      racer.close();
    }
  }

  async function known(story: AnchorStory, traceId: string): Promise<Withdrawal> {
    return waitUntil(
      'the outcome of the withdrawal is known',
      () => story.client.withdrawal(traceId),
      (withdrawal) => withdrawal.state !== 'pending',
      { withinMs: 40_000, everyMs: 100 },
    );
  }

  async function expectBooksToHold(): Promise<void> {
    const audit = await node.audit();
    expect(audit.code, audit.output).toBe(0);
  }

  test('of the whole balance, asked for 64 times at once with 64 traceIds, is paid exactly once', async () => {
    const story = await anchorWithBalance(node, 1_000_000);
    const amount = story.available;
    const answers = await race(
      story,
      Array.from({ length: connections }, () => ({ traceId: newTraceId(), amount })),
    );

    const paid = answers.filter((answer) => answer.status === 201);
    expect(paid).toHaveLength(1);
    expect(paid[0]?.body).toMatchObject({ amount, state: 'paid' });
    const refused = answers.filter((answer) => answer.status === 422).map((answer) => answer.body as unknown as Problem);
    expect(refused).toHaveLength(connections - 1);
    expect(new Set(refused.map((problem) => problem.code))).toEqual(new Set(['insufficient_balance']));

    expect(await story.client.balance(story.anchor.id)).toMatchObject({
      settled: amount,
      withdrawn: amount,
      reserved: 0,
      available: 0,
    });
    expect(await story.client.withdrawals(story.anchor.id)).toEqual([paid[0]?.body]);
    await expectBooksToHold();
  });

  test('of a third of the balance, asked for 64 times at once, is paid exactly three times', async () => {
    const story = await anchorWithBalance(node, 900_000);
    const amount = Math.floor(story.available / 3);
    const answers = await race(
      story,
      Array.from({ length: connections }, () => ({ traceId: newTraceId(), amount })),
    );

    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(3);
    expect(answers.filter((answer) => answer.status === 422)).toHaveLength(connections - 3);
    const balance = await story.client.balance(story.anchor.id);
    expect(balance).toMatchObject({ withdrawn: 3 * amount, reserved: 0, available: story.available - 3 * amount });
    await expectBooksToHold();
  });

  test('with one traceId, sent 64 times at once, moves the balance once and gives 64 equal answers', async () => {
    const story = await anchorWithBalance(node, 500_000);
    const request = { traceId: newTraceId(), amount: 1_234 };
    const answers = await race(story, new Array(connections).fill(request));

    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    for (const answer of answers) expect(answer.body).toEqual(answers[0]?.body);
    expect(answers[0]?.body).toMatchObject({ ...request, state: 'paid' });

    expect(await story.client.withdrawals(story.anchor.id)).toEqual([answers[0]?.body]);
    expect(await story.client.withdrawal(request.traceId)).toEqual(answers[0]?.body);
    expect(await story.client.balance(story.anchor.id)).toMatchObject({
      withdrawn: request.amount,
      reserved: 0,
      available: story.available - request.amount,
    });
    await expectBooksToHold();
  });

  test('repeated later has the same answer, with or without dashes; with another amount it is refused', async () => {
    const story = await anchorWithBalance(node, 10_000);
    const traceId = uuidv7();
    const first = await story.client.withdraw(story.anchor.id, { traceId, amount: 400 });
    const again = await story.client.withdraw(story.anchor.id, { traceId: asHex(traceId), amount: 400 });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);

    await expect(story.client.withdraw(story.anchor.id, { traceId, amount: 401 })).rejects.toMatchObject({
      status: 422,
      code: 'trace_id_conflict',
    });
    expect(await story.client.balance(story.anchor.id)).toMatchObject({ withdrawn: 400, reserved: 0 });
  });

  test("under another anchor's traceId is refused", async () => {
    const one = await anchorWithBalance(node, 10_000);
    const other = await anchorWithBalance(node, 10_000);
    const request = { traceId: newTraceId(), amount: 400 };
    await one.client.withdraw(one.anchor.id, request);

    await expect(other.client.withdraw(other.anchor.id, request)).rejects.toMatchObject({
      status: 422,
      code: 'trace_id_conflict',
    });
    expect(await other.client.balance(other.anchor.id)).toMatchObject({ withdrawn: 0, reserved: 0 });
  });

  test('of one fen more than is available is refused and reserves nothing', async () => {
    const story = await anchorWithBalance(node, 10_000);
    const before = await story.client.balance(story.anchor.id);
    await expect(
      story.client.withdraw(story.anchor.id, { traceId: newTraceId(), amount: story.available + 1 }),
    ).rejects.toMatchObject({ status: 422, code: 'insufficient_balance' });

    const { asOf: _before, ...then } = before;
    const { asOf: _after, ...now } = await story.client.balance(story.anchor.id);
    expect(now).toEqual(then);
    expect(await story.client.withdrawals(story.anchor.id)).toEqual([]);
  });

  test('belongs to its anchor: to others it does not exist, and they may not ask for one', async () => {
    const story = await anchorWithBalance(node, 10_000);
    const stranger = await registeredAnchor(node);
    const request = { traceId: newTraceId(), amount: 100 };
    await story.client.withdraw(story.anchor.id, request);

    await expect(stranger.client.withdrawal(request.traceId)).rejects.toMatchObject({
      status: 404,
      code: 'withdrawal_not_found',
    });
    await expect(
      stranger.client.withdraw(story.anchor.id, { traceId: newTraceId(), amount: 100 }),
    ).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    await expect(stranger.client.balance(story.anchor.id)).rejects.toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('that the provider rejects gives the amount back', async () => {
    const story = await anchorWithBalance(node, 10_000);
    await (await node.asAdmin()).setSandbox('reject');
    const traceId = newTraceId();
    const { status } = await story.client.withdraw(story.anchor.id, { traceId, amount: 700 });
    expect(status).toBe(201);

    expect((await known(story, traceId)).state).toBe('rejected');
    expect(await story.client.balance(story.anchor.id)).toMatchObject({
      withdrawn: 0,
      reserved: 0,
      available: story.available,
    });
    await expectBooksToHold();

    await (await node.asAdmin()).setSandbox('pay');
    const again = await story.client.withdraw(story.anchor.id, { traceId, amount: 700 });
    expect(again.body.state, 'rejected is final').toBe('rejected');
  });

  test('that the provider never answers stays pending and reserved, and is paid once the provider is back', async () => {
    const story = await anchorWithBalance(node, 10_000);
    await (await node.asAdmin()).setSandbox('timeout');
    const traceId = newTraceId();
    const { status, body } = await story.client.withdraw(story.anchor.id, { traceId, amount: 800 });
    expect(status).toBe(201);
    expect(body.state).toBe('pending');
    expect(await story.client.balance(story.anchor.id)).toMatchObject({
      withdrawn: 0,
      reserved: 800,
      available: story.available - 800,
    });
    await expect(
      story.client.withdraw(story.anchor.id, { traceId: newTraceId(), amount: story.available }),
    ).rejects.toMatchObject({ code: 'insufficient_balance' });
    await expectBooksToHold();

    await (await node.asAdmin()).setSandbox('pay');
    expect((await known(story, traceId)).state).toBe('paid');
    expect(await story.client.balance(story.anchor.id)).toMatchObject({
      withdrawn: 800,
      reserved: 0,
      available: story.available - 800,
    });
    await expectBooksToHold();
  });

  test('that the provider paid but did not say so ends paid, exactly once', async () => {
    const story = await anchorWithBalance(node, 10_000);
    await (await node.asAdmin()).setSandbox('pay_then_timeout');
    const traceId = newTraceId();
    const { body } = await story.client.withdraw(story.anchor.id, { traceId, amount: 900 });
    expect(body.state).toBeOneOf(['pending', 'paid']);

    expect((await known(story, traceId)).state).toBe('paid');
    expect(await story.client.balance(story.anchor.id)).toMatchObject({
      withdrawn: 900,
      reserved: 0,
      available: story.available - 900,
    });
    expect(await story.client.withdrawals(story.anchor.id)).toHaveLength(1);
    const again = await story.client.withdraw(story.anchor.id, { traceId, amount: 900 });
    expect(again.body).toMatchObject({ state: 'paid', withdrawalId: body.withdrawalId });
    await expectBooksToHold();
  });

  test('that was pending when the node was killed becomes known after its restart', async () => {
    const story = await anchorWithBalance(node, 10_000);
    await (await node.asAdmin()).setSandbox('timeout');
    const traceId = newTraceId();
    await story.client.withdraw(story.anchor.id, { traceId, amount: 600 });
    await node.kill();
    await node.launch();

    await (await node.asAdmin()).setSandbox('pay');
    expect((await known(story, traceId)).state).toBe('paid');
    expect(await story.client.balance(story.anchor.id)).toMatchObject({ withdrawn: 600, reserved: 0 });
    await expectBooksToHold();
  });
});
