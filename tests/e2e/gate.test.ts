// What stands in front of every route: blocked networks, limits on requests and on log-ins, and the operators' log.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client } from './support/client.ts';
import { checkContract } from './support/contract.ts';
import { uniqueName } from './support/ids.ts';
import type { Problem } from './support/model.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { newViewer, password, registeredAnchor, registeredViewer } from './support/stories.ts';
import { waitFor } from './support/wait.ts';

interface Block {
  id: number;
  network: string;
  reason: string;
  until: string | null;
  createdBy: string;
}

interface Action {
  at: string;
  operatorId: number;
  operatorName: string;
  action: string;
  object: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  address: string;
  traceId: string;
  outcome: string;
}

interface ActionPage {
  items: Action[];
  nextPageToken: string | null;
  complete: boolean;
}

const blocks = '/api/v1/admin/ip-blocks';
const rate = 20;
const burst = 30;

// The test plays the proxy that the node trusts: what it says in X-Forwarded-For is the client.
let node: TipflowNode;
let admin: Client;
showOutputOnFailure(() => node);

beforeAll(async () => {
  node = await TipflowNode.start({
    env: {
      TIPFLOW_HTTP_TRUSTED_PROXIES: '127.0.0.0/8',
      TIPFLOW_LIMITS_ADDRESS_PER_SECOND: String(rate),
      TIPFLOW_LIMITS_ADDRESS_BURST: String(burst),
      TIPFLOW_LIMITS_VIEWER_PER_SECOND: '10',
      TIPFLOW_LIMITS_VIEWER_BURST: '10',
      TIPFLOW_LIMITS_LOGIN_NAME: '15',
      TIPFLOW_LIMITS_LOGIN_ADDRESS: '20',
    },
  });
  admin = await node.asAdmin();
});

afterAll(async () => node?.dispose());

const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
const askFrom = (address: string, client: Client = node.client()): Promise<Answer<Problem>> =>
  client.call<Problem>('GET', '/version', { headers: from(address) });
const statusFrom = async (address: string): Promise<number> => (await askFrom(address)).status;
const block = async (json: Record<string, unknown>, address?: string): Promise<Answer<Block & Problem>> =>
  admin.call<Block & Problem>('POST', blocks, { json, headers: address === undefined ? {} : from(address) });

describe('a blocked network', () => {
  test('is refused within a second, and let in again when the block is taken back', async () => {
    expect(await statusFrom('203.0.113.9')).toBe(200);
    const { status, body } = await block({ network: '203.0.113.0/24', reason: 'guesses passwords' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ network: '203.0.113.0/24', until: null, createdBy: 'admin' });

    const refused = await waitFor(
      'the block holds',
      async () => {
        const answer = await askFrom('203.0.113.9');
        return answer.status === 403 && answer;
      },
      { withinMs: 1_000 },
    );
    expect(refused.body.code).toBe('address_blocked');
    expect(refused.headers['x-content-type-options']).toBe('nosniff');
    expect(await statusFrom('::ffff:203.0.113.77')).toBe(403);
    expect(await statusFrom('203.0.114.9')).toBe(200);
    for (const path of ['/livez', '/docs', '/nothing', '/api/v1/auth/login']) {
      expect((await node.client().call('GET', path, { headers: from('203.0.113.9') })).status, path).toBe(403);
    }

    expect((await admin.call('DELETE', `${blocks}/${body.id}`)).status).toBe(204);
    await waitFor('it is let in', async () => (await statusFrom('203.0.113.9')) === 200, { withinMs: 1_000 });
    expect((await admin.call<Problem>('DELETE', `${blocks}/${body.id}`)).body.code).toBe('ip_block_not_found');
  });

  test('is not what a header from outside says', async () => {
    const { body } = await block({ network: '198.51.100.0/24', reason: 'test' });
    await waitFor('the block holds', async () => (await statusFrom('198.51.100.1')) === 403, { withinMs: 1_000 });
    // Each proxy appends; only the last entry that none of ours made is believed.
    expect(await statusFrom('198.51.100.1, 192.0.2.55')).toBe(200);
    expect(await statusFrom('192.0.2.55, 198.51.100.1')).toBe(403);
    const plain = await TipflowNode.start({ roles: ['console'] });
    try {
      const other = await plain.asAdmin();
      await other.ask('POST', '/admin/ip-blocks', { json: { network: '198.51.100.0/24', reason: 'test' } });
      const claimed = await plain.client().call('GET', '/version', { headers: from('198.51.100.1') });
      expect(claimed.status, 'no proxy is trusted by default').toBe(200);
    } finally {
      await plain.dispose();
    }
    await admin.ask('DELETE', `/admin/ip-blocks/${body.id}`);
  });

  test('survives restarts, and falls away when its time is over', async () => {
    const until = new Date(Date.now() + 4_000);
    await block({ network: '192.0.2.128/25', reason: 'for a while', until: until.toISOString() });
    await block({ network: '2001:db8:bad::/48', reason: 'for good' });
    await node.restart();
    expect(await statusFrom('2001:db8:bad::1')).toBe(403);
    if (Date.now() < until.getTime() - 500) expect(await statusFrom('192.0.2.200')).toBe(403);
    await waitFor('the brief one is over', async () => (await statusFrom('192.0.2.200')) === 200);
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime());
    const { body } = await admin.call<{ items: Block[] }>('GET', blocks);
    expect(body.items.map(({ network }) => network)).toEqual(['2001:db8:bad::/48']);
  });

  test('never holds the asker or this machine', async () => {
    for (const [network, address] of [
      ['203.0.113.0/24', '203.0.113.9'],
      ['0.0.0.0/0', '203.0.113.9'],
      ['::/0', '203.0.113.9'],
      ['127.0.0.1', '203.0.113.9'],
      ['127.128.0.0/9', '203.0.113.9'],
      ['::1/128', '203.0.113.9'],
      ['127.0.0.0/8', undefined],
    ] as const) {
      const answer = await block({ network, reason: 'oops' }, address);
      expect(answer, network).toMatchObject({ status: 422, body: { code: 'would_block_yourself' } });
    }
  });

  test('must be one', async () => {
    for (const network of ['10.0.0.1/8', '10.0.0.0/33', 'example.org', '10.0.0.*']) {
      const { status, body } = await block({ network, reason: 'odd' });
      expect(status, network).toBe(400);
      expect(body.errors).toEqual([expect.objectContaining({ field: 'network', code: 'invalid_format' })]);
    }
    const past = await block({ network: '192.0.2.1', reason: 'late', until: '2020-01-01T00:00:00.000Z' });
    expect(past.body.errors).toEqual([expect.objectContaining({ field: 'until', code: 'out_of_range' })]);
  });
});

describe('a limit', () => {
  test('of an address lets a burst through and then the rate, and says when to come again', async () => {
    const many = node.client().withConnections(16);
    await many.warmUp(16);
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 200 }, () => askFrom('192.0.2.10', many)));
    const seconds = (performance.now() - began) / 1_000;
    const passed = answers.filter(({ status }) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(burst);
    expect(passed).toBeLessThanOrEqual(burst + Math.ceil(rate * seconds));
    for (const { status, body, headers } of answers.filter((answer) => answer.status !== 200)) {
      expect({ status, code: body.code, wait: headers['retry-after'] }).toEqual({
        status: 429,
        code: 'too_many_requests',
        wait: '1',
      });
    }
    expect(await statusFrom('192.0.2.11'), 'another address').toBe(200);
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await many.call('GET', path, { headers: from('192.0.2.10') })).status, path).toBe(200);
    }
    await waitFor('the rate lets it in again', async () => (await statusFrom('192.0.2.10')) === 200, { withinMs: 2_000 });
    const { bytes } = await many.call('GET', '/metrics');
    const counted = /^tipflow_http_refused_total\{reason="address_limit"\} (\d+)$/m.exec(bytes.toString('utf8'));
    expect(Number(counted?.[1])).toBeGreaterThanOrEqual(200 - passed);
    many.close();
  });

  test('of an address counts what does not exist, too', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => node.client().call('GET', '/nothing', { headers: from('192.0.2.12') })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 429]));
  });

  test('of a viewer follows the viewer from address to address', async () => {
    const { client } = await registeredViewer(node);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        client.call<Problem>('GET', '/api/v1/rooms', { headers: from(`198.51.100.${i + 1}`) }),
      ),
    );
    const passed = answers.filter(({ status }) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(10);
    expect(passed).toBeLessThan(40);
    const other = await registeredViewer(node);
    expect((await other.client.call('GET', '/api/v1/rooms', { headers: from('198.51.100.1') })).status).toBe(200);
  });
});

describe('a log-in', () => {
  const login = (name: string, secret: string, address: string): Promise<Answer<Problem>> =>
    node.client().call<Problem>('POST', '/api/v1/auth/login', {
      json: { kind: 'viewer', name, password: secret },
      headers: from(address),
    });

  test('is closed to a name from an address after ten failures, even to the right password', async () => {
    const { name } = await node.client().createViewer(newViewer());
    const address = '203.0.113.20';
    for (let i = 0; i < 20; ++i) expect((await login(name, password, address)).status, 'a success costs nothing').toBe(200);
    for (let i = 0; i < 10; ++i) expect((await login(name, 'wrong', address)).body.code).toBe('invalid_credentials');
    const refused = await login(name, password, address);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    const wait = Number(refused.headers['retry-after']);
    expect(wait).toBeGreaterThan(200);
    expect(wait).toBeLessThanOrEqual(300);
    expect((await login(name, password, '203.0.113.21')).status, 'from elsewhere').toBe(200);
  });

  test('answers 64 wrong passwords at once as it answers ten', async () => {
    const { name } = await node.client().createViewer(newViewer());
    const many = node.client().withConnections(64);
    await many.warmUp(64);
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        many.call<Problem>('POST', '/api/v1/auth/login', {
          json: { kind: 'viewer', name, password: `wrong${i}` },
          headers: from('203.0.113.22'),
        }),
      ),
    );
    many.close();
    const codes = answers.map(({ body }) => body.code);
    expect(codes.filter((code) => code === 'invalid_credentials')).toHaveLength(10);
    expect(codes.filter((code) => code === 'too_many_attempts' || code === 'too_many_requests')).toHaveLength(54);
  });

  test('of a name that nobody has is answered like any other', async () => {
    const { name } = await node.client().createViewer(newViewer());
    const seen = async (who: string, address: string): Promise<unknown[]> => {
      const answers: unknown[] = [];
      for (let i = 0; i < 12; ++i) {
        const { body } = await login(who, 'wrong', address);
        answers.push({ ...body, traceId: '' });
      }
      return answers;
    };
    expect(await seen(uniqueName('nobody'), '203.0.113.23')).toEqual(await seen(name, '203.0.113.24'));
  });

  test('is closed to a name, and to an address, after more failures from anywhere', async () => {
    const { name } = await node.client().createViewer(newViewer());
    for (let i = 0; i < 15; ++i) {
      expect((await login(name, 'wrong', `203.0.113.${100 + (i % 3)}`)).status).toBe(401);
    }
    expect((await login(name, password, '203.0.113.110')).body.code).toBe('too_many_attempts');

    for (let i = 0; i < 20; ++i) {
      expect((await login(uniqueName('nobody'), 'wrong', '203.0.113.120')).status).toBe(401);
    }
    expect((await login(uniqueName('nobody'), 'wrong', '203.0.113.120')).body.code).toBe('too_many_attempts');
    expect((await login(uniqueName('nobody'), 'wrong', '203.0.113.121')).status).toBe(401);
  });
});

describe('the operators’ log', () => {
  const log = async (query: Record<string, string | number> = {}): Promise<ActionPage> =>
    (await admin.call<ActionPage>('GET', '/api/v1/admin/audit-log', { query })).body;
  const traced = async (answer: Answer): Promise<Action[]> => {
    const { items } = await log({ pageSize: 100 });
    return items.filter(({ traceId }) => traceId === answer.headers['x-trace-id']);
  };

  test('keeps who changed what, from where, before and after, through every role', async () => {
    const { anchor, roomId } = await registeredAnchor(node);
    const { viewer } = await registeredViewer(node);
    const headers = from('192.0.2.77');
    const changes: [Promise<Answer>, Partial<Action>][] = [
      [
        admin.call('POST', `/api/v1/finance/anchors/${anchor.id}/share-rates`, { json: { shareBp: 6_000 }, headers }),
        { object: `share rate of anchor ${anchor.id}`, before: expect.objectContaining({ shareBp: 5_000 }), after: expect.objectContaining({ shareBp: 6_000 }) },
      ],
      [
        admin.call('POST', `/api/v1/viewers/${viewer.id}/disable`, { headers }),
        { object: `viewer ${viewer.id}`, before: expect.objectContaining({ state: 'active' }), after: expect.objectContaining({ state: 'disabled' }) },
      ],
      [
        admin.call('PATCH', `/api/v1/rooms/${roomId}`, { json: { title: 'by an operator' }, headers }),
        { object: `room ${roomId}`, before: expect.anything(), after: expect.objectContaining({ title: 'by an operator' }) },
      ],
      [
        admin.call('POST', blocks, { json: { network: '192.0.2.5/32', reason: 'log' }, headers }),
        { object: 'network 192.0.2.5/32', before: null, after: expect.objectContaining({ reason: 'log' }) },
      ],
      [
        admin.call('PUT', '/api/v1/finance/sandbox', { json: { mode: 'pay' }, headers }),
        { object: '/api/v1/finance/sandbox', before: null, after: { mode: 'pay' } },
      ],
      [
        admin.call('PUT', '/api/v1/admin/settings', { json: { 'alerts.error_percent': 7 }, headers }),
        { object: 'settings', before: { 'alerts.error_percent': 5 }, after: { 'alerts.error_percent': 7 } },
      ],
    ];
    for (const [change, expected] of changes) {
      const answer = await change;
      expect(answer.status).toBeLessThan(300);
      expect(await traced(answer)).toEqual([
        {
          action: expect.stringMatching(/^(POST|PATCH|PUT) \/api\/v1\//),
          operatorId: admin.id,
          operatorName: 'admin',
          address: '192.0.2.77',
          traceId: answer.headers['x-trace-id'],
          at: expect.stringMatching(/Z$/),
          outcome: 'done',
          ...expected,
        },
      ]);
    }
  });

  test('keeps what a rule refused, and not what never was a request of the operator', async () => {
    const { anchor } = await registeredAnchor(node);
    const path = `/api/v1/finance/anchors/${anchor.id}/share-rates`;
    const past = await admin.call('POST', path, { json: { shareBp: 1, effectiveFrom: '2020-01-01T00:00:00.000Z' } });
    expect((await traced(past)).map(({ outcome }) => outcome)).toEqual(['effective_from_in_past']);
    const refused = [
      await admin.call('POST', path, { json: { shareBp: 1 }, sign: false }),
      await admin.call('POST', path, { json: { shareBp: -1 } }),
      await admin.call('GET', path),
    ];
    for (const answer of refused) expect(await traced(answer)).toEqual([]);
  });

  test('shows no secrets and no personal data', async () => {
    const { anchor } = await registeredAnchor(node);
    const answer = await admin.call('PUT', `/api/v1/finance/anchors/${anchor.id}/payout-account`, {
      json: { realName: '李四', bankAccount: '6222021234567890', phone: '13812345678' },
    });
    expect(answer.status).toBeLessThan(300);
    const kept = await traced(answer);
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toMatch(/李四|6222021234567890|13812345678/);
    const { id } = await node.client().createViewer(newViewer());
    const changed = await admin.call('PATCH', `/api/v1/viewers/${id}`, { json: { password: 'a new long password' } });
    expect(JSON.stringify(await traced(changed))).not.toContain('a new long password');
  });

  test('finds by operator, action and time, page by page, from both databases', async () => {
    const whole = await log({ pageSize: 100 });
    expect(whole.complete).toBe(true);
    const times = whole.items.map(({ at }) => at);
    expect(times).toEqual(times.toSorted().reverse());
    const paged: Action[] = [];
    let pageToken = '';
    do {
      const page = await log({ pageSize: 2, pageToken });
      paged.push(...page.items);
      pageToken = page.nextPageToken ?? '';
    } while (pageToken !== '');
    expect(paged).toEqual(whole.items);

    const rates = await log({ action: 'share-rates' });
    expect(rates.items.length).toBeGreaterThan(0);
    expect(rates.items.every(({ action }) => action.includes('share-rates'))).toBe(true);
    expect((await log({ operatorId: 999 })).items).toEqual([]);
    const middle = whole.items[1] as Action;
    const since = await log({ from: middle.at, pageSize: 100 });
    expect(since.items.every(({ at }) => at >= middle.at)).toBe(true);
    expect((await log({ to: '2020-01-01T00:00:00.000Z' })).items).toEqual([]);
  });

  test('is closed to everybody but operators, and survives a restart', async () => {
    const { client } = await registeredViewer(node);
    expect((await client.call('GET', '/api/v1/admin/audit-log')).status).toBe(403);
    const before = await log({ pageSize: 100 });
    await node.restart();
    expect(await log({ pageSize: 100 })).toEqual(before);
  });
});

describe('a role without the other database', () => {
  test('keeps what operators change through it, and it is found once all are back', async () => {
    const whole = await TipflowNode.start();
    try {
      const operator = await whole.asAdmin();
      const { id } = await whole.client().createViewer(newViewer());
      await whole.restart(['anchor', 'audience']);
      expect((await operator.call('POST', `/api/v1/viewers/${id}/disable`)).status).toBe(200);
      await whole.restart(['console']);
      const part = (await operator.call<ActionPage>('GET', '/api/v1/admin/audit-log')).body;
      expect(part).toMatchObject({ items: [], complete: false });
      await whole.restart('all');
      const { body } = await operator.call<ActionPage>('GET', '/api/v1/admin/audit-log');
      expect(body.complete).toBe(true);
      expect(body.items.map(({ object, operatorName }) => [object, operatorName])).toEqual([[`viewer ${id}`, 'admin']]);
    } finally {
      await whole.dispose();
    }
  });
});

checkContract();
