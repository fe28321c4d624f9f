// What two nodes share in Redis: a log-out and a nonce hold at both, whatever becomes of Redis, and no tip waits for it.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client, SignatureOptions } from './support/client.ts';
import { newTraceId } from './support/ids.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { readText, repository } from './support/paths.ts';
import { Redis } from './support/redis.ts';
import { storesToTest } from './support/stores.ts';
import { type AnchorStory, anchorWithBalance, guest, newTip, settledBooks } from './support/stories.ts';
import { waitFor, waitUntil } from './support/wait.ts';

const withMariaDb = storesToTest().includes('MariaDB');

describe.runIf(withMariaDb)('two nodes with one Redis', () => {
  let redis: Redis;
  let first: TipflowNode;
  let second: TipflowNode;
  let settings: Record<string, string>;
  let host: AnchorStory;
  let admin: Client;
  showOutputOnFailure(() => first);
  showOutputOnFailure(() => second);

  const readiness = async (node: TipflowNode): Promise<{ status: number; redis: string | undefined }> => {
    const { status, body } = await node.client().call<{ checks: { name: string; status: string }[] }>('GET', '/readyz');
    return { status, redis: body.checks.find((check) => check.name === 'redis')?.status };
  };
  const everywhere = async (state: string): Promise<void> => {
    for (const node of [first, second]) {
      await waitUntil(`Redis is ${state}`, () => readiness(node), (seen) => seen.status === 200 && seen.redis === state);
    }
  };
  /** The same session at the other node. */
  const at = (node: TipflowNode, client: Client): Client => {
    if (client.session === undefined) throw new Error('not logged in');
    return node.client().as(client.session);
  };
  const rates = (): string => `/api/v1/finance/anchors/${host.anchor.id}/share-rates`;
  const setRate = (node: TipflowNode, sign: SignatureOptions = {}): Promise<Answer<{ code: string }>> =>
    at(node, admin).call('POST', rates(), { json: { shareBp: 5_000 }, sign });
  const rateCount = async (): Promise<number> => (await admin.shareRates(host.anchor.id)).length;
  const untilRatesCanBeSet = (): Promise<unknown> =>
    waitUntil('administration goes on', () => setRate(first), ({ status }) => status === 201, { everyMs: 200 });
  const oneRequest = (): SignatureOptions => ({ timestampMs: Date.now(), nonce: randomBytes(16).toString('base64url') });

  beforeAll(async () => {
    redis = await Redis.start();
    settings = {
      TIPFLOW_REDIS_URL: redis.url,
      TIPFLOW_TOKEN_KEY: randomBytes(32).toString('hex'),
      TIPFLOW_CLUSTER_KEY: randomBytes(32).toString('hex'),
      TIPFLOW_DATA_KEYS: `one:${randomBytes(32).toString('hex')}`,
    };
    first = await TipflowNode.start({ store: 'MariaDB', env: settings });
    const { db1, db2 } = first.databases;
    settings = { ...settings, TIPFLOW_DB1_URL: db1, TIPFLOW_DB2_URL: db2 };
    second = await TipflowNode.start({ env: settings });
    admin = await first.asAdmin();
    host = await anchorWithBalance(first, 100_000);
    await untilRatesCanBeSet();
  });

  afterEach(async () => {
    redis.wake();
    if ((await redis.ask('PING').catch(() => '')) === '') await redis.launch();
    await everywhere('up');
    await untilRatesCanBeSet();
  });

  afterAll(async () => {
    await first?.dispose();
    await second?.dispose();
    await redis?.dispose();
  });

  test('a token that was logged out at one is dead at the other', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { client, viewer } = await guest(first);
      const there = at(second, client);
      const path = `/api/v1/viewers/${viewer.id}`;
      expect(await there.call('GET', path)).toMatchObject({ status: 200 });
      await client.logout();
      await waitUntil('the token is dead', () => there.call('GET', path), ({ status }) => status === 401, { withinMs: 1_000, everyMs: 1 });
    }
  });

  test('a signed request is good at one of them, once', async () => {
    const sign = oneRequest();
    const before = await rateCount();
    expect(await setRate(first, sign)).toMatchObject({ status: 201 });
    expect(await setRate(second, sign)).toMatchObject({ status: 401, body: { code: 'nonce_used' } });
    expect(await setRate(first, sign)).toMatchObject({ status: 401, body: { code: 'nonce_used' } });
    expect(await rateCount()).toBe(before + 1);
  });

  test('while Redis is away tips and withdrawals go on, once each, and administration waits', async () => {
    const fan = await guest(first);
    const sign = oneRequest();
    const before = await rateCount();
    expect(await setRate(first, sign)).toMatchObject({ status: 201 });
    await redis.kill();
    await everywhere('down');

    const tip = newTip(host.roomId, 700);
    expect((await fan.client.sendTip(tip)).body.status).toBe('created');
    expect((await at(second, fan.client).sendTip(tip)).body.status).toBe('exists');

    const { available } = await host.client.balance(host.anchor.id);
    const request = { traceId: newTraceId(), amount: 10 };
    const path = `/api/v1/finance/anchors/${host.anchor.id}/withdrawals`;
    const once = oneRequest();
    const asked = await host.client.call<{ withdrawalId: number }>('POST', path, { json: request, sign: once });
    expect(asked).toMatchObject({ status: 201 });
    const replayed = await at(second, host.client).call('POST', path, { json: request, sign: once });
    expect(replayed, 'what the first was answered').toMatchObject({ status: 201, body: { withdrawalId: asked.body.withdrawalId } });
    expect(await host.client.call('POST', path, { json: request, sign: once })).toMatchObject({
      status: 401,
      body: { code: 'nonce_used' },
    });
    expect((await host.client.balance(host.anchor.id)).available).toBeLessThanOrEqual(available - 10 + 700);
    expect((await host.client.withdrawals(host.anchor.id)).filter((each) => each.traceId === request.traceId)).toHaveLength(1);

    const refused = await setRate(second, oneRequest());
    expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(refused.headers['retry-after']).toBeDefined();
    expect((await setRate(second, sign)).status).toBe(503);
    expect(await rateCount()).toBe(before + 1);
  });

  test('after Redis came back empty nothing that was used up is good again', async () => {
    const sign = oneRequest();
    expect(await setRate(first, sign)).toMatchObject({ status: 201 });
    const { client, viewer } = await guest(first);
    await client.logout();
    const before = await rateCount();
    await redis.kill();
    await redis.launch();
    await everywhere('up');
    const answers = await waitUntil(
      'the replay is refused for good',
      () => Promise.all([setRate(first, sign), setRate(second, sign)]),
      (all) => all.every(({ status }) => status === 401),
    );
    for (const { body } of answers) expect(['nonce_used', 'stale_timestamp']).toContain(body.code);
    expect(await rateCount()).toBe(before);

    const path = `/api/v1/viewers/${viewer.id}`;
    // The message may have been lost with Redis; the nodes compare what they know every few seconds.
    await waitUntil('the token is dead at the second', () => at(second, client).call('GET', path), ({ status }) => status === 401);
    await waitFor('the nodes have filled Redis again', async () => /^:[1-9]/.test(await redis.ask('ZCARD tipflow:revoked')));
    const third = await TipflowNode.start({ env: settings });
    expect(await at(third, client).call('GET', path)).toMatchObject({ status: 401 });
    await third.dispose();
  });

  test('a Redis that hangs holds nobody up', async () => {
    const fan = await guest(first);
    redis.freeze();
    const began = Date.now();
    const answers = await Promise.all([
      fan.client.sendTip(newTip(host.roomId, 100)),
      setRate(first, oneRequest()),
      at(second, fan.client).sendTip(newTip(host.roomId, 100)),
      fan.client.call('GET', `/api/v1/viewers/${fan.viewer.id}`),
    ]);
    expect(Date.now() - began).toBeLessThan(1_500);
    expect(answers[0].body.status).toBe('created');
    expect(answers[1].status).toBe(503);
    expect(answers[2].body.status).toBe('created');
    await everywhere('down');
  });

  test('what a node says of Redis is what the page of metrics says', async () => {
    const text = (await first.client().call('GET', '/metrics')).bytes.toString('utf8');
    const [, page] = readText(join(repository, 'docs/operations/metrics.md')).split('## In a cluster') as [string, string];
    const documented = [...page.matchAll(/^\| `(tipflow_(?:redis|bus)\w+)` \| (\w+) \|/gm)].map((row) => `${row[1]} ${row[2]}`);
    const shown = [...text.matchAll(/^# TYPE (tipflow_(?:redis|bus)\w+) (\w+)$/gm)].map((row) => `${row[1]} ${row[2]}`);
    expect(shown.length).toBeGreaterThan(0);
    expect(documented.toSorted()).toEqual(shown.toSorted());
    expect(text).toContain('tipflow_redis_up 1');
  });

  test('the books agree afterwards', async () => {
    await settledBooks(admin);
    expect(await first.audit()).toMatchObject({ code: 0 });
  });
});
