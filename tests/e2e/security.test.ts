// Attacks on what proves who asks: signatures, nonces, tokens, ownership, calls between nodes, and what is written down.
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client, SignatureOptions } from './support/client.ts';
import { type NodeRequest, nodeHeaders, reforged, sendRaw } from './support/forgery.ts';
import { newTraceId, uniqueName } from './support/ids.ts';
import type { Problem } from './support/model.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from './support/node.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithBalance,
  newTip,
  newViewer,
  password,
  registeredAnchor,
  registeredViewer,
} from './support/stories.ts';

const clusterKey = randomBytes(32).toString('hex');

let node: TipflowNode;
let admin: Client;
let host: AnchorStory;
let other: AnchorStory;
let fan: ViewerStory;
let stranger: ViewerStory;
showOutputOnFailure(() => node);

beforeAll(async () => {
  node = await TipflowNode.start({ env: { TIPFLOW_CLUSTER_KEY: clusterKey } });
  admin = await node.asAdmin();
  host = await anchorWithBalance(node, 100_000);
  other = await registeredAnchor(node);
  fan = await registeredViewer(node);
  stranger = await registeredViewer(node);
});

afterAll(async () => node?.dispose());

const rates = (anchor: AnchorStory): string => `/api/v1/finance/anchors/${anchor.anchor.id}/share-rates`;
const setRate = (sign: false | SignatureOptions, shareBp = 1_234): Promise<Answer<Problem>> =>
  admin.call('POST', rates(host), { json: { shareBp }, sign });
const rateCount = async (): Promise<number> => (await admin.shareRates(host.anchor.id)).length;

describe('a signed request', () => {
  test.each<[string, () => SignatureOptions]>([
    ['method', () => ({ method: 'PUT' })],
    ['path', () => ({ target: rates(other) })],
    ['query', () => ({ target: `${rates(host)}?dry=1` })],
    ['body', () => ({ body: Buffer.from('{"shareBp":1}') })],
    ['key', () => ({ key: randomBytes(32).toString('base64url') })],
  ])('whose %s is another than was signed changes nothing', async (_, sign) => {
    const before = await rateCount();
    expect(await setRate(sign())).toMatchObject({ status: 401, body: { code: 'invalid_signature' } });
    expect(await rateCount()).toBe(before);
  });

  test.each<[string, Record<string, string | undefined>]>([
    ['time', { 'x-tipflow-timestamp': String(Date.now() + 1) }],
    ['nonce', { 'x-tipflow-nonce': 'another-nonce-than-signed' }],
    ['signature', { 'x-tipflow-signature': `v1=${'0'.repeat(64)}` }],
    ['version', { 'x-tipflow-signature': `v0=${'0'.repeat(64)}` }],
    ['signature left out', { 'x-tipflow-signature': undefined }],
    ['nonce left out', { 'x-tipflow-nonce': undefined }],
  ])('with its %s exchanged changes nothing', async (_, headers) => {
    const before = await rateCount();
    const answer = await admin.call('POST', rates(host), { json: { shareBp: 1_234 }, headers });
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_signature' } });
    expect(await rateCount()).toBe(before);
  });

  test('of somebody else, under a token of one’s own, is nobody’s', async () => {
    const answer = await host.client.call('POST', `/api/v1/finance/anchors/${host.anchor.id}/withdrawals`, {
      json: { traceId: newTraceId(), amount: 1 },
      sign: { key: other.client.session?.signingKey as string },
    });
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_signature' } });
  });

  test.each([-301_000, 301_000])('stamped %d ms from now is stale', async (offset) => {
    expect(await setRate({ timestampMs: Date.now() + offset })).toMatchObject({
      status: 401,
      body: { code: 'stale_timestamp' },
    });
  });

  test('is done once, and not again, whatever else it then says', async () => {
    const nonce = randomBytes(16).toString('base64url');
    expect((await setRate({ nonce })).status).toBe(201);
    for (const shareBp of [1_234, 4_321]) {
      expect(await setRate({ nonce }, shareBp)).toMatchObject({ status: 401, body: { code: 'nonce_used' } });
    }
    expect((await setRate({ nonce, timestampMs: Date.now() - 301_000 })).body.code).toBe('stale_timestamp');
  });

  test('sent 64 times at once is done exactly once', async () => {
    const many = admin.withConnections(64);
    await many.warmUp(64);
    const before = await rateCount();
    const sign = { nonce: randomBytes(16).toString('base64url'), timestampMs: Date.now() };
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => many.call<Problem>('POST', rates(host), { json: { shareBp: 2_345 }, sign })),
    );
    many.close();
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'nonce_used')).toHaveLength(63);
    expect(await rateCount()).toBe(before + 1);
  });

  test('is not taken again by a process that has forgotten its nonce', async () => {
    const sent = [0, 250_000].map((ahead) => ({
      nonce: randomBytes(16).toString('base64url'),
      timestampMs: Date.now() + ahead,
    }));
    for (const sign of sent) expect((await setRate(sign)).status).toBe(201);
    await node.restart();
    const before = await rateCount();
    expect((await setRate(sent[0] as SignatureOptions)).body.code).toBe('stale_timestamp');
    // Stamped ahead, it is not older than the new process, which was told of it.
    expect((await setRate(sent[1] as SignatureOptions)).body.code).toBe('nonce_used');
    expect(await rateCount()).toBe(before);
    expect((await setRate({})).status, 'nobody else is kept out').toBe(201);
  });

  test('of a tip is answered again as before, and pays once', async () => {
    const tip = newTip(host.roomId, 100);
    const sign = { nonce: randomBytes(16).toString('base64url'), timestampMs: Date.now() };
    const first = await fan.client.sendTip(tip, { sign });
    const again = await fan.client.sendTip(tip, { sign });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual({ ...first.body, status: 'exists' });
  });
});

describe('a token', () => {
  const use = async (token: string): Promise<string> => {
    const { status, body } = await node.client().call<Problem>('GET', `/api/v1/viewers/${fan.viewer.id}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return `${status} ${body.code}`;
  };
  const mine = (): string => fan.client.session?.token as string;
  const refused = '401 unauthenticated';

  test('counts as it was given out', async () => {
    expect(await use(mine())).toBe('200 undefined');
  });

  test('with `alg: none` is none', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
      expect(await use(reforged(mine(), { alg }, { role: 'admin', kind: 'operator' }, () => ''))).toBe(refused);
      expect(await use(reforged(mine(), { alg }, {}))).toBe(refused);
    }
  });

  test('under another algorithm is none, whatever serves as its key', async () => {
    for (const [alg, hash] of [['HS384', 'sha384'], ['HS512', 'sha512'], ['RS256', 'sha256'], ['ES256', 'sha256'], ['EdDSA', 'sha256']] as const) {
      for (const key of ['', fan.client.session?.signingKey as string, clusterKey]) {
        const sign = (text: string): string => createHmac(hash, key).update(text).digest('base64url');
        expect(await use(reforged(mine(), { alg }, {}, sign)), alg).toBe(refused);
      }
    }
  });

  test('with an altered payload, key id or signature is none', async () => {
    expect(await use(reforged(mine(), {}, { role: 'admin' }))).toBe(refused);
    expect(await use(reforged(mine(), {}, { sub: String(stranger.viewer.id) }))).toBe(refused);
    expect(await use(reforged(mine(), {}, { exp: 4_102_444_800 }))).toBe(refused);
    expect(await use(reforged(mine(), { kid: '00000000' }, {}))).toBe(refused);
    const sign = (text: string): string => createHmac('sha256', Buffer.from(clusterKey, 'hex')).update(text).digest('base64url');
    expect(await use(reforged(mine(), {}, { role: 'admin', kind: 'operator' }, sign))).toBe(refused);
    const [header, payload] = mine().split('.');
    for (const odd of [`${header}.${payload}.`, `${header}.${payload}`, '..', 'x', `${mine()}.`, `${mine()}x`]) {
      expect(await use(odd), odd).toBe(refused);
    }
  });

  test('is dead from the moment its holder logs out, also after a restart', async () => {
    const { client } = await registeredViewer(node);
    await client.logout();
    const gone = { status: 401, body: { code: 'unauthenticated' } };
    expect(await client.call('GET', `/api/v1/viewers/${client.id}`)).toMatchObject(gone);
    await node.restart();
    expect(await client.call('GET', `/api/v1/viewers/${client.id}`)).toMatchObject(gone);
    expect(await use(mine())).toBe('200 undefined');
  });
});

describe('what belongs to somebody else', () => {
  test('is closed by its number, whether or not it exists', async () => {
    const own = `/api/v1/finance/anchors/${other.anchor.id}`;
    const asked: [Client, 'GET' | 'PATCH' | 'POST', string, object?][] = [
      [fan.client, 'GET', `/api/v1/viewers/${stranger.viewer.id}`],
      [fan.client, 'GET', `/api/v1/viewers/${stranger.viewer.id}/tips`],
      [fan.client, 'PATCH', `/api/v1/viewers/${stranger.viewer.id}`, { age: 31 }],
      [fan.client, 'GET', '/api/v1/viewers/999999999'],
      [fan.client, 'GET', `/api/v1/tips?viewerId=${stranger.viewer.id}`],
      [fan.client, 'POST', `/api/v1/viewers/${stranger.viewer.id}/disable`],
      [host.client, 'GET', `${own}/balance`],
      [host.client, 'GET', `${own}/statement`],
      [host.client, 'GET', `${own}/withdrawals`],
      [host.client, 'GET', '/api/v1/finance/anchors/999999999/balance'],
      [host.client, 'POST', `${own}/withdrawals`, { traceId: newTraceId(), amount: 1 }],
      [host.client, 'PATCH', `/api/v1/rooms/${other.roomId}`, { title: 'mine now' }],
      [host.client, 'POST', `/api/v1/rooms/${other.roomId}/close`],
      [host.client, 'PATCH', `/api/v1/anchors/${other.anchor.id}`, { age: 31 }],
      [host.client, 'POST', rates(host), { shareBp: 10_000 }],
    ];
    for (const [client, method, path, json] of asked) {
      const answer = await client.call(method, path, json === undefined ? {} : { json });
      expect(answer, `${method} ${path}`).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });

  test('looks, by its traceId, like what does not exist', async () => {
    const tip = newTip(host.roomId, 7);
    await fan.client.sendTip(tip);
    const traceId = newTraceId();
    await host.client.withdraw(host.anchor.id, { traceId, amount: 1 });
    const withoutIds = ({ body }: Answer<Problem>): object => ({ ...body, traceId: '' });
    for (const [client, path, id] of [
      [stranger.client, '/api/v1/tips', tip.traceId],
      [other.client, '/api/v1/finance/withdrawals', traceId],
    ] as const) {
      const theirs = await client.call<Problem>('GET', `${path}/${id}`);
      const nobodys = await client.call<Problem>('GET', `${path}/${newTraceId()}`);
      expect(theirs.status).toBe(404);
      expect(withoutIds(theirs)).toEqual(withoutIds(nobodys));
    }
  });

  test('cannot be claimed by fields that only the server sets', async () => {
    const anyone = node.client();
    const claims: [Client, 'PATCH' | 'POST', string, object, string][] = [
      [anyone, 'POST', '/api/v1/viewers', { ...newViewer(), role: 'admin' }, 'role'],
      [anyone, 'POST', '/api/v1/viewers', { ...newViewer(), id: 1 }, 'id'],
      [anyone, 'POST', '/api/v1/viewers', { ...newViewer(), state: 'active' }, 'state'],
      [anyone, 'POST', '/api/v1/viewers', { ...newViewer(), tier: 'high' }, 'tier'],
      [anyone, 'POST', '/api/v1/anchors', { ...newViewer(), shareBp: 10_000 }, 'shareBp'],
      [anyone, 'POST', '/api/v1/auth/login', { kind: 'viewer', name: 'a', password: 'b', role: 'admin' }, 'role'],
      [fan.client, 'PATCH', `/api/v1/viewers/${fan.viewer.id}`, { tier: 'high' }, 'tier'],
      [fan.client, 'PATCH', `/api/v1/viewers/${fan.viewer.id}`, { __proto__x: {} }, '__proto__x'],
      [fan.client, 'POST', '/api/v1/tips', { ...newTip(host.roomId, 1), viewerId: stranger.viewer.id }, 'viewerId'],
      [fan.client, 'POST', '/api/v1/tips', { ...newTip(host.roomId, 1), acceptedAt: '2020-01-01T00:00:00.000Z' }, 'acceptedAt'],
      [host.client, 'PATCH', `/api/v1/anchors/${host.anchor.id}`, { shareBp: 10_000 }, 'shareBp'],
      [host.client, 'PATCH', `/api/v1/rooms/${host.roomId}`, { anchorId: other.anchor.id }, 'anchorId'],
    ];
    for (const [client, method, path, json, field] of claims) {
      const answer = await client.call<Problem>(method, path, { json });
      expect(answer.status, `${method} ${path} ${field}`).toBe(400);
      expect(answer.body.errors).toEqual([expect.objectContaining({ field, code: 'unknown_field' })]);
    }
    expect((await admin.anchor(host.anchor.id)).shareBp).not.toBe(10_000);
  });
});

describe('what is for nodes', () => {
  const target = '/internal/v1/ping';
  const request = (changes: Partial<NodeRequest> = {}): NodeRequest => ({
    node: 'node-2:8080',
    method: 'GET',
    target,
    timestampMs: Date.now(),
    body: '',
    ...changes,
  });
  /** What is answered, but for the second in which it was. */
  const send = async (line: string, headers: Record<string, string> = {}): ReturnType<typeof sendRaw> => {
    const answer = await sendRaw(node.port, [
      line,
      'Host: x',
      'X-Trace-Id: 0123456789abcdef0123456789abcdef',
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ]);
    delete answer.headers['date'];
    return answer;
  };
  const ping = (headers: Record<string, string>): ReturnType<typeof sendRaw> => send(`GET ${target} HTTP/1.1`, headers);
  const nothing = (): ReturnType<typeof sendRaw> => send('GET /nothing/v1/here HTTP/1.1');

  test('answers a node of the cluster, and repeats itself to it', async () => {
    const headers = nodeHeaders(clusterKey, request());
    for (let i = 0; i < 2; ++i) {
      const { status, body } = await ping(headers);
      expect(status, body).toBe(200);
      expect(JSON.parse(body)).toMatchObject({ node: expect.stringMatching(/./), roles: expect.arrayContaining(['finance']) });
    }
  });

  test('is to everybody else as if it did not exist', async () => {
    const right = nodeHeaders(clusterKey, request());
    const wrong: [string, Record<string, string>][] = [
      ['no headers', {}],
      ['a token of an admin', { Authorization: `Bearer ${admin.session?.token}` }],
      ['another key', nodeHeaders(randomBytes(32).toString('hex'), request())],
      ['another node', { ...right, 'X-Tipflow-Node': 'node-3:8080' }],
      ['another time', { ...right, 'X-Tipflow-Timestamp': String(Date.now() + 1) }],
      ['another method', nodeHeaders(clusterKey, request({ method: 'POST' }))],
      ['another target', nodeHeaders(clusterKey, request({ target: '/internal/v1/pong' }))],
      ['a query that is not sent', nodeHeaders(clusterKey, request({ target: `${target}?a=1` }))],
      ['a body that is not sent', nodeHeaders(clusterKey, request({ body: '{}' }))],
      ['half a minute ago', nodeHeaders(clusterKey, request({ timestampMs: Date.now() - 31_000 }))],
      ['half a minute ahead', nodeHeaders(clusterKey, request({ timestampMs: Date.now() + 32_000 }))],
    ];
    const expected = await nothing();
    expect(expected.status).toBe(404);
    for (const [what, headers] of wrong) expect(await ping(headers), what).toEqual(expected);
  });

  test('is not reached by other methods, nor are there any to be learnt', async () => {
    const expected = await nothing();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect(await send(`${method} ${target} HTTP/1.1`, { 'Content-Length': '0' }), method).toEqual(expected);
    }
    const options = await send(`OPTIONS ${target} HTTP/1.1`);
    expect(options).toEqual(await send('OPTIONS /nothing/v1/here HTTP/1.1'));
    expect(options.headers['allow']).toBeUndefined();
  });

  test.each([
    '/api/../internal/v1/ping',
    '/api/v1/../../internal/v1/ping',
    '/internal/../internal/v1/ping',
    '/internal/./v1/ping',
    '//internal/v1/ping',
    '/internal//v1/ping',
    '/INTERNAL/v1/ping',
    '/Internal/V1/Ping',
    '/%69nternal/v1/ping',
    '/internal%2fv1%2fping',
    '/internal/v1%2Fping',
    '/%2finternal/v1/ping',
    '/api/%2e%2e/internal/v1/ping',
    '/api/..%2finternal/v1/ping',
    '/api/%252e%252e/internal/v1/ping',
    '/internal/v1/ping/',
    '/internal/v1/ping;x=1',
    '/internal/v1/ping%00',
    '/internal/v1/ping%20',
    '\\internal\\v1\\ping',
    'http://localhost/internal/v1/ping',
    'internal/v1/ping',
    '*',
  ])('is not reached by the target %s', async (trick) => {
    const expected = await nothing();
    // RFC 9112 (3.2.2) lets any client write the whole URL; a node that signs it is a node.
    const signed = trick.startsWith('http:') ? [] : [request(), request({ target: trick })];
    for (const headers of [{}, ...signed.map((each) => nodeHeaders(clusterKey, each))]) {
      const { status, body } = await send(`GET ${trick} HTTP/1.1`, headers as Record<string, string>);
      // What is no path at all is the root, which leads to the documentation.
      expect(trick.startsWith('/') ? [404, 400] : [404, 400, 302]).toContain(status);
      expect(body).not.toContain('roles');
      if (status === 404) expect(body).toBe(expected.body);
    }
  });
});

describe('an answer', () => {
  const common = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  };
  const nothing = "default-src 'none'; frame-ancestors 'none'";

  test.each([
    ['GET', '/api/v1/rooms', 200],
    ['GET', '/api/v1/rooms/999999999', 404],
    ['GET', '/api/v1/nothing', 404],
    ['DELETE', '/api/v1/rooms', 405],
    ['POST', '/api/v1/tips', 401],
  ] as const)('to %s %s (%d) lets a browser load, frame, guess and keep nothing', async (method, path, status) => {
    const answer = await fan.client.call(method, path, { sign: false, headers: { origin: 'https://evil.example' } });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ ...common, 'content-security-policy': nothing, 'cache-control': 'no-store' });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(answer.headers['server']).toBeUndefined();
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('that is a page runs the scripts it was made with and no others', async () => {
    const { headers } = await node.client().call('GET', '/docs');
    expect(headers).toMatchObject(common);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[A-Za-z0-9+/]{43}='; /);
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect((await node.client().call('GET', '/livez')).headers).toMatchObject(common);
  });

  test('allows no other origin, whoever asks first', async () => {
    for (const path of ['/api/v1/tips', '/api/v1/auth/login', '/nothing']) {
      const answer = await sendRaw(node.port, [
        `OPTIONS ${path} HTTP/1.1`,
        'Host: x',
        'Origin: https://evil.example',
        'Access-Control-Request-Method: POST',
        'Access-Control-Request-Headers: authorization',
      ]);
      expect(answer.status).toBe(405);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('what is written down', () => {
  const logFile = (): string => readFileSync(join(node.dataDir, 'log', 'tipflow.jsonl'), 'utf8');

  test('is one line a request, whatever is in it', async () => {
    const mark = uniqueName('mark');
    const forged = `${mark}\n{"level":"error","msg":"forged"}\r\n\u2028{"msg":"forged"}`;
    await node.client().call('GET', '/api/v1/rooms', { query: { q: forged } });
    await node.client().call('POST', '/api/v1/viewers', { json: { ...newViewer(), name: forged } });
    await sendRaw(node.port, [`GET /${mark}%0a%0d%7b%22msg%22:%22forged%22%7d HTTP/1.1`, 'Host: x']);
    await node.client().call('POST', '/api/v1/auth/login', { raw: `${mark}\n{"msg":"forged"}` });
    await node.restart(); // what was written waits in memory no longer
    const lines = logFile().trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as { msg?: string });
    expect(lines.some((line) => line.includes(mark))).toBe(true);
    expect(parsed.filter(({ msg }) => msg === 'forged')).toEqual([]);
    expect(logFile()).not.toContain('\u2028');
  });

  test('holds no password, token, signing key or personal data', async () => {
    const secret = 'Zx9!unmistakable';
    const viewer = await node.client().createViewer({ ...newViewer(), password: secret });
    const session = await node.client().login('viewer', viewer.name, secret);
    await node.client().as(session).viewer(viewer.id);
    await expect(node.client().login('viewer', viewer.name, `${secret}x`)).rejects.toMatchObject({ status: 401 });
    const escaped = [...'password'].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('');
    const odd = [`{"PassWord":"${secret}"}`, `{"${escaped}":"${secret}"}`, `[{"a":{"password":["${secret}"]}}]`, `{"password":"${secret}`];
    for (const raw of odd) await node.client().call('POST', '/api/v1/auth/login', { raw });
    await node.client().call('GET', `/api/v1/rooms?token=${secret}&%70assword=${secret}`);
    await host.client.call('PUT', `/api/v1/finance/anchors/${host.anchor.id}/payout-account`, {
      json: { realName: '张三丰丰', bankAccount: '6222021234567890', phone: '13812345678' },
    });
    await node.restart();
    const written = logFile();
    expect(written).toContain(viewer.name);
    const secrets = [secret, password, adminPassword, session.token, session.signingKey, clusterKey, '张三丰丰', '6222021234567890', '13812345678'];
    for (const each of secrets) expect(written.includes(each), each).toBe(false);
  });
});
