// Whatever is wrong with a request: an honest answer that names what is wrong, and nothing changed.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, CallOptions, Client, SignatureOptions } from './support/client.ts';
import { checkContract, problemType } from './support/contract.ts';
import { newTraceId } from './support/ids.ts';
import type { NewTip, Problem, Reconciliation } from './support/model.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from './support/node.ts';
import { sendLargeBody } from './support/raw.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithBalance,
  anchorWithOpenRoom,
  guest,
  newAnchor,
  newTip,
  newViewer,
  registeredAnchor,
  registeredViewer,
  settledBooks,
} from './support/stories.ts';
import { storesToTest } from './support/stores.ts';

const tips = '/api/v1/tips';

describe.each(storesToTest())('bad input on %s', (store) => {
  let node: TipflowNode;
  let admin: Client;
  let host: AnchorStory;
  let fan: ViewerStory;
  let books: Pick<Reconciliation, 'tips' | 'ledger'>;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start({ store });
    admin = await node.asAdmin();
    host = await anchorWithOpenRoom(node);
    fan = await registeredViewer(node);
    await fan.client.sendTip(newTip(host.roomId, 1_000));
    books = await countsOf();
  });

  afterAll(async () => node?.dispose());

  async function countsOf(): Promise<Pick<Reconciliation, 'tips' | 'ledger'>> {
    const { tips: committed, ledger } = await settledBooks(admin);
    return { tips: committed, ledger };
  }

  /** The answer must be this problem, and the books must be as they were. */
  async function expectRefused(
    answer: Answer,
    status: number,
    code: string | readonly string[],
    errors?: readonly { field: string; code: string | readonly string[] }[],
  ): Promise<void> {
    const problem = answer.body as Problem;
    expect({ status: answer.status, code: problem.code }).toEqual({
      status,
      code: expect.toBeOneOf([code].flat()),
    });
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
    expect(problem).toMatchObject({
      type: problemType(problem.code),
      title: expect.stringMatching(/\S/),
      status,
      detail: expect.stringMatching(/\S/),
      traceId: answer.headers['x-trace-id'],
    });
    if (errors === undefined) expect(problem.errors ?? []).toEqual([]);
    else {
      expect(problem.errors?.map(({ field, code: why }) => ({ field, code: why }))).toEqual(
        errors.map(({ field, code: why }) => ({ field, code: expect.toBeOneOf([why].flat()) })),
      );
    }
    expect(await countsOf()).toEqual(books);
  }

  const send = (tip: unknown, options: CallOptions = {}): Promise<Answer> =>
    fan.client.call('POST', tips, { json: tip, ...options });
  const sendRaw = (raw: Buffer | string, options: CallOptions = {}): Promise<Answer> =>
    fan.client.call('POST', tips, { raw, ...options });
  /** The text of a tip with one value written as given. */
  const withLiteral = (field: keyof NewTip, literal: string): string => {
    const tip = { ...newTip(host.roomId, 500), [field]: '@' };
    return JSON.stringify(tip).replace('"@"', literal);
  };

  describe('in a field', () => {
    const wrongNumbers: [literal: string, codes: string[]][] = [
      ['0', ['out_of_range']],
      ['-1', ['out_of_range']],
      ['100000001', ['out_of_range']],
      ['9007199254740993', ['out_of_range']],
      ['9223372036854775808', ['out_of_range', 'wrong_type']],
      ['-9223372036854775809', ['out_of_range', 'wrong_type']],
      ['18446744073709551617', ['out_of_range', 'wrong_type']],
      ['1.5', ['wrong_type']],
      ['1.0', ['wrong_type']],
      ['1e3', ['wrong_type']],
      ['"1"', ['wrong_type']],
      ['true', ['wrong_type']],
      ['[1]', ['wrong_type']],
      ['{}', ['wrong_type']],
      ['null', ['wrong_type', 'required']],
    ];
    test.each(wrongNumbers)('an amount of %s is refused', async (literal, codes) => {
      await expectRefused(await sendRaw(withLiteral('amount', literal)), 400, 'invalid_request', [
        { field: 'amount', code: codes },
      ]);
    });

    const wrongFields: [what: string, change: Record<string, unknown>, code: string][] = [
      ['a negative gift', { giftId: -1 }, 'out_of_range'],
      ['a gift beyond the range', { giftId: 1_000_001 }, 'out_of_range'],
      ['a count of none', { count: 0 }, 'out_of_range'],
      ['a count beyond the range', { count: 10_000 }, 'out_of_range'],
      ['a message of 201 characters', { message: '长'.repeat(201) }, 'out_of_range'],
      ['a message that is a number', { message: 5 }, 'wrong_type'],
      ['a room that is text', { roomId: '7' }, 'wrong_type'],
      ['a room of 0', { roomId: 0 }, 'out_of_range'],
      ['a traceId that is no id', { traceId: 'not-an-id' }, 'invalid_format'],
      ['a traceId one digit short', { traceId: newTraceId().slice(1) }, 'invalid_format'],
      ['a traceId with its dashes in wrong places', { traceId: '019cec37b67b-7b44-9d21-6a3c-0f8e1b57' }, 'invalid_format'],
      ['a traceId with a letter beyond f', { traceId: `g${newTraceId().slice(1)}` }, 'invalid_format'],
      ['an empty traceId', { traceId: '' }, 'invalid_format'],
      ['a traceId that is a number', { traceId: 12345678901234 }, 'wrong_type'],
      ['a field that does not exist', { viewerId: 7 }, 'unknown_field'],
      ['a field in other capitals', { Amount: 7 }, 'unknown_field'],
    ];
    test.each(wrongFields)('%s is refused', async (_what, change, code) => {
      const tip = { ...newTip(host.roomId, 500), ...change };
      await expectRefused(await send(tip), 400, 'invalid_request', [
        { field: Object.keys(change)[0] as string, code },
      ]);
    });

    test.each(['traceId', 'roomId', 'amount'])('a missing %s is refused', async (field) => {
      const { [field as keyof NewTip]: _gone, ...tip } = newTip(host.roomId, 500);
      await expectRefused(await send(tip), 400, 'invalid_request', [{ field, code: 'required' }]);
    });

    test('several faults are all named at once', async () => {
      const answer = await send({ traceId: 'x', amount: 0, roomId: host.roomId, surprise: 1 });
      const named = ((answer.body as Problem).errors ?? []).map(({ field, code }) => `${field} ${code}`).sort();
      expect(named).toEqual(['amount out_of_range', 'surprise unknown_field', 'traceId invalid_format']);
      expect(answer.status).toBe(400);
      expect(await countsOf()).toEqual(books);
    });

    test('a fault inside a batch is named by its place and refuses the whole batch', async () => {
      const batch = [newTip(host.roomId, 100), newTip(host.roomId, 100), { ...newTip(host.roomId, 100), amount: 0 }];
      const json = { tips: batch.map((tip) => ({ ...tip, viewerId: fan.viewer.id })) };
      await expectRefused(await admin.call('POST', `${tips}/batch`, { json }), 400, 'invalid_request', [
        { field: 'tips[2].amount', code: 'out_of_range' },
      ]);
    });

    test('a batch of none and a batch of 1,001 tips are refused', async () => {
      const many = Array.from({ length: 1_001 }, () => ({ ...newTip(host.roomId, 1), viewerId: fan.viewer.id }));
      for (const batch of [[], many]) {
        const answer = await admin.call('POST', `${tips}/batch`, { json: { tips: batch } });
        await expectRefused(answer, 400, 'invalid_request', [{ field: 'tips', code: 'out_of_range' }]);
      }
    });

    const wrongViewers: [what: string, change: Record<string, unknown>, code: string][] = [
      ['an empty name', { name: '' }, 'out_of_range'],
      ['a blank name', { name: '   ' }, 'invalid_format'],
      ['a name of 65 characters', { name: 'n'.repeat(65) }, 'out_of_range'],
      ['a name with a line break', { name: 'a\nb' }, 'invalid_format'],
      ['a password of 7 bytes', { password: '1234567' }, 'out_of_range'],
      ['a password of 129 bytes', { password: 'p'.repeat(129) }, 'out_of_range'],
      ['an unknown gender', { gender: 'other' }, 'invalid_format'],
      ['a negative age', { age: -1 }, 'out_of_range'],
      ['an age of 151', { age: 151 }, 'out_of_range'],
      ['21 tags', { tags: Array.from({ length: 21 }, (_, index) => `t${index}`) }, 'out_of_range'],
    ];
    test.each(wrongViewers)('a registration with %s is refused', async (_what, change, code) => {
      const answer = await node.client().call('POST', '/api/v1/viewers', { json: newViewer(change) });
      await expectRefused(answer, 400, 'invalid_request', [
        { field: Object.keys(change)[0] as string, code: [code, 'out_of_range', 'invalid_format'] },
      ]);
    });

    test('an id in the path that cannot exist answers like one that does not', async () => {
      for (const id of ['abc', '0', '-1', '1.5', '9007199254740992', '99999999999999999999', '%20', '1%00']) {
        await expectRefused(await admin.call('GET', `/api/v1/viewers/${id}`), 404, 'viewer_not_found');
      }
    });

    test('a traceId in the path that is no id finds nothing', async () => {
      const answer = await fan.client.call<Problem>('GET', `${tips}/not-an-id`);
      if (answer.body.code === 'tip_not_found') await expectRefused(answer, 404, 'tip_not_found');
      else await expectRefused(answer, 400, 'invalid_request', [{ field: 'traceId', code: 'invalid_format' }]);
    });

    test('times and enumerations in a query that make no sense are refused by name', async () => {
      const wrong: [path: string, query: Record<string, string>][] = [
        [tips, { from: 'yesterday' }],
        [tips, { to: '2026-13-01T00:00:00.000Z' }],
        [tips, { roomId: 'x' }],
        ['/api/v1/rooms', { state: 'sleeping' }],
      ];
      for (const [path, query] of wrong) {
        await expectRefused(await admin.call('GET', path, { query }), 400, 'invalid_request', [
          { field: Object.keys(query)[0] as string, code: ['invalid_format', 'wrong_type', 'out_of_range'] },
        ]);
      }
    });

    test('a range that ends before it begins is refused by every list and report', async () => {
      const query = { from: '2026-03-02T00:00:00.000Z', to: '2026-03-01T00:00:00.000Z' };
      const ranged = ['/tips', `/rooms/${host.roomId}/chats`, '/analysis/hourly', '/analysis/metrics', '/admin/logs', '/admin/traces', '/admin/audit-log'];
      for (const path of ranged) {
        const answer = await admin.call('GET', `/api/v1${path}`, { query });
        await expectRefused(answer, 400, 'invalid_request', [{ field: 'to', code: 'out_of_range' }]);
      }
    });

    test('a report of times that cannot be written, or that begins in the future, is refused by name', async () => {
      const wrong: [query: Record<string, string>, field: string][] = [
        [{ to: '9999-12-31T23:59:59.999Z' }, 'to'],
        [{ from: '2999-01-01T00:00:00.000Z' }, 'from'],
      ];
      for (const path of ['hourly', 'metrics', 'trend', 'heatmap', 'retention', 'anchors/ranking', `anchors/${host.anchor.id}/summary`]) {
        for (const [query, field] of wrong) {
          const answer = await admin.call('GET', `/api/v1/analysis/${path}`, { query });
          await expectRefused(answer, 400, 'invalid_request', [{ field, code: 'out_of_range' }]);
        }
      }
    });

    test('a query or a tag in the path that is not UTF-8 is refused by name', async () => {
      const wrong = { '/rooms?tag=%ff': 'tag', '/anchors?q=%e5%90': 'q', '/tags?q=%c0%80': 'q', '/admin/logs?q=%ff': 'q', '/analysis/tags/%ff/related': 'tag' };
      for (const [path, field] of Object.entries(wrong)) {
        const answer = await admin.call('GET', `/api/v1${path}`);
        await expectRefused(answer, 400, 'invalid_request', [{ field, code: 'invalid_format' }]);
      }
    });
  });

  describe('in who, where and when', () => {
    test('a tip to an unknown room is refused', async () => {
      await expectRefused(await send(newTip(999_999_999, 500)), 404, 'room_not_found');
    });

    test('a tip to a room that never opened is refused', async () => {
      const closed = await registeredAnchor(node);
      await expectRefused(await send(newTip(closed.roomId, 500)), 409, 'room_not_live');
    });

    test('a tip to a room that has closed is refused', async () => {
      const closed = await anchorWithOpenRoom(node);
      await closed.client.closeRoom(closed.roomId);
      await expectRefused(await send(newTip(closed.roomId, 500)), 409, 'room_not_live');
    });

    test('a tip of a disabled viewer is refused', async () => {
      const disabled = await registeredViewer(node);
      await admin.ask('POST', `/viewers/${disabled.viewer.id}/disable`);
      const answer = await disabled.client.call('POST', tips, { json: newTip(host.roomId, 500) });
      await expectRefused(answer, 409, 'viewer_disabled');
    });

    test('a tip of a viewer of 17 is refused', async () => {
      const minor = await registeredViewer(node, { age: 17 });
      const answer = await minor.client.call('POST', tips, { json: newTip(host.roomId, 500) });
      await expectRefused(answer, 422, 'viewer_underage');
    });

    test('a batch of a viewer is refused', async () => {
      const json = { tips: [{ ...newTip(host.roomId, 500), viewerId: fan.viewer.id }] };
      await expectRefused(await fan.client.call('POST', `${tips}/batch`, { json }), 403, 'forbidden');
    });

    test("someone else's tip cannot be read, and looks like one that does not exist", async () => {
      const tip = newTip(host.roomId, 500);
      await fan.client.sendTip(tip);
      books = await countsOf();
      const stranger = await guest(node);
      const theirs = await stranger.client.call('GET', `${tips}/${tip.traceId}`);
      const nothing = await stranger.client.call('GET', `${tips}/${newTraceId()}`);
      await expectRefused(theirs, 404, 'tip_not_found');
      await expectRefused(nothing, 404, 'tip_not_found');
      const shape = (answer: Answer): unknown => ({ ...(answer.body as Problem), traceId: '', detail: '' });
      expect(shape(theirs)).toEqual(shape(nothing));
    });

    test('the sandbox and the share rates are closed to anchors and viewers', async () => {
      for (const client of [host.client, fan.client]) {
        const sandbox = await client.call('PUT', '/api/v1/finance/sandbox', { json: { mode: 'reject' } });
        await expectRefused(sandbox, 403, 'forbidden');
        const path = `/api/v1/finance/anchors/${host.anchor.id}/share-rates`;
        await expectRefused(await client.call('POST', path, { json: { shareBp: 10_000 } }), 403, 'forbidden');
      }
    });
  });

  describe('in the body', () => {
    const tip = (): string => JSON.stringify(newTip(host.roomId, 500));
    const broken: [what: string, text: () => Buffer | string][] = [
      ['nothing at all', () => ''],
      ['half an object', () => tip().slice(0, -5)],
      ['two objects', () => tip() + tip()],
      ['a comma too many', () => tip().replace('}', ',}')],
      ['single quotes', () => tip().replaceAll('"', "'")],
      ['a comment', () => tip().replace('{', '{/* */')],
      ['NaN', () => tip().replace(':500', ':NaN')],
      ['a leading zero', () => tip().replace(':500', ':0500')],
      ['a leading plus', () => tip().replace(':500', ':+500')],
      ['text that is not JSON', () => 'amount=500'],
      ['binary bytes', () => Buffer.from([0, 255, 254, 1, 2, 3])],
    ];
    test.each(broken)('%s is refused as malformed', async (_what, text) => {
      await expectRefused(await sendRaw(text(), { headers: { 'content-type': 'application/json' } }), 400, [
        'malformed_json',
      ]);
    });

    test.each(['[]', '"text"', '17', 'null', 'true'])('%s instead of an object is refused', async (text) => {
      const answer = await sendRaw(text);
      expect(answer.status).toBe(400);
      expect((answer.body as Problem).code).toBeOneOf(['malformed_json', 'invalid_request']);
      expect(await countsOf()).toEqual(books);
    });

    test('text that is not UTF-8 is refused', async () => {
      const [before, after] = JSON.stringify(newTip(host.roomId, 500, { message: '@' })).split('@') as [string, string];
      const wrong = [
        [0xff],
        [0xc3],
        [0xc0, 0xaf],
        [0xed, 0xa0, 0x80],
        [0xf5, 0x80, 0x80, 0x80],
      ];
      for (const bytes of wrong) {
        const answer = await sendRaw(Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]));
        expect(answer.status).toBe(400);
        expect((answer.body as Problem).code).toBeOneOf(['malformed_json', 'invalid_request']);
      }
      expect(await countsOf()).toEqual(books);
    });

    test.each([100, 30_000])('%i levels of nesting are refused', async (depth) => {
      const nested = '['.repeat(depth) + ']'.repeat(depth);
      for (const text of [nested, withLiteral('message', nested)]) {
        const answer = await sendRaw(text);
        expect(answer.status).toBe(400);
        expect((answer.body as Problem).code).toBeOneOf(['malformed_json', 'invalid_request']);
      }
      expect(await countsOf()).toEqual(books);
    });

    const wrongTypes: [what: string, type: string | undefined][] = [
      ['text/plain', 'text/plain'],
      ['a form', 'application/x-www-form-urlencoded'],
      ['XML', 'application/xml'],
      ['nothing in particular', undefined],
    ];
    test.each(wrongTypes)('a body sent as %s is refused', async (_what, type) => {
      const answer = await send(newTip(host.roomId, 500), { headers: { 'content-type': type } });
      await expectRefused(answer, 415, 'unsupported_media_type');
    });

    test('what takes no body takes an empty object, and refuses a field', async () => {
      const without = [`/rooms/${host.roomId}/open`, `/viewers/${fan.viewer.id}/enable`, '/analysis/rounds', '/admin/jobs/top_viewers/runs'];
      for (const path of without) {
        const answer = await admin.call('POST', `/api/v1${path}`, { json: { force: true } });
        await expectRefused(answer, 400, 'invalid_request', [{ field: 'force', code: 'unknown_field' }]);
        expect((await admin.call('POST', `/api/v1${path}`, { json: {} })).status).toBeLessThan(300);
      }
    });

    test('JSON with a charset is taken', async () => {
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      const answer = await send(newTip(host.roomId, 0), { headers });
      await expectRefused(answer, 400, 'invalid_request', [{ field: 'amount', code: 'out_of_range' }]);
    });

    test('one byte more than 64 KiB is refused, and 64 KiB are read', async () => {
      const text = tip();
      const padded = (size: number): string => text.replace('{', `{${' '.repeat(size - Buffer.byteLength(text))}`);
      await expectRefused(await sendRaw(padded(64 * 1024 + 1)), 413, 'body_too_large');
      const atTheBound = await sendRaw(padded(64 * 1024).replace(':500', ':0  '));
      await expectRefused(atTheBound, 400, 'invalid_request', [{ field: 'amount', code: 'out_of_range' }]);
    });

    test('a body of 10 MB is refused before it is read', async () => {
      const bytes = 10_000_000;
      const answer = await sendLargeBody(
        node.port,
        [
          'POST /api/v1/tips HTTP/1.1',
          'Host: 127.0.0.1',
          `Authorization: Bearer ${fan.client.session?.token}`,
          'Content-Type: application/json',
          `Content-Length: ${bytes}`,
        ],
        bytes,
      );
      expect(answer.status).toBe(413);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/);
      expect(answer.headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 413,
        code: 'body_too_large',
        traceId: answer.headers['x-trace-id'],
      });
      expect(await countsOf()).toEqual(books);
    });

    test('a batch may have more than 64 KiB, and not more than 1 MiB', async () => {
      const message = '长'.repeat(200);
      const batch = (count: number): object => ({
        tips: Array.from({ length: count }, () => ({
          ...newTip(999_999_999, 1, { message }),
          viewerId: fan.viewer.id,
        })),
      });
      const read = await admin.call<{ results: { code: string }[] }>('POST', `${tips}/batch`, { json: batch(200) });
      expect(read.status).toBe(200);
      expect(new Set(read.body.results.map((result) => result.code))).toEqual(new Set(['room_not_found']));
      const refused = await admin.call('POST', `${tips}/batch`, {
        raw: `{${' '.repeat(1024 * 1024)}${JSON.stringify(batch(1)).slice(1)}`,
      });
      await expectRefused(refused, 413, 'body_too_large');
    });
  });

  describe('in the token', () => {
    const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const parts = (token: string): [string, string, string] => token.split('.') as [string, string, string];
    const claimsOf = (token: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(parts(token)[1], 'base64url').toString('utf8')) as Record<string, unknown>;
    const headerOf = (token: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(parts(token)[0], 'base64url').toString('utf8')) as Record<string, unknown>;
    const flip = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);

    const forgeries: [what: string, forge: (token: string) => string | undefined][] = [
      ['no token', () => undefined],
      ['an empty token', () => 'Bearer '],
      ['another scheme', (token) => `Basic ${token}`],
      ['a token of random text', () => 'Bearer abc.def.ghi'],
      ['a token without its signature', (token) => `Bearer ${parts(token)[0]}.${parts(token)[1]}.`],
      ['a token with one letter of the signature changed', (token) => {
        const [header, claims, signature] = parts(token);
        return `Bearer ${header}.${claims}.${flip(signature)}`;
      }],
      ['a token whose claims were changed', (token) => {
        const [header, , signature] = parts(token);
        return `Bearer ${header}.${base64({ ...claimsOf(token), role: 'admin', kind: 'operator' })}.${signature}`;
      }],
      ['a token that lives longer than it was given', (token) => {
        const [header, , signature] = parts(token);
        const claims = claimsOf(token);
        return `Bearer ${header}.${base64({ ...claims, exp: Number(claims['exp']) + 3_600 })}.${signature}`;
      }],
      ['a token with the algorithm none', (token) => {
        const [, claims] = parts(token);
        return `Bearer ${base64({ ...headerOf(token), alg: 'none' })}.${claims}.`;
      }],
      ['a token with the algorithm none and a signature', (token) => {
        const [, claims, signature] = parts(token);
        return `Bearer ${base64({ ...headerOf(token), alg: 'None' })}.${claims}.${signature}`;
      }],
      ['a token signed with an empty key', (token) => {
        const signed = `${base64({ ...headerOf(token), alg: 'HS256' })}.${parts(token)[1]}`;
        return `Bearer ${signed}.${createHmac('sha256', '').update(signed).digest('base64url')}`;
      }],
      ['a token signed with its own signing key', (token) => {
        const signed = `${base64({ ...headerOf(token), alg: 'HS256' })}.${parts(token)[1]}`;
        const key = Buffer.from(fan.client.session?.signingKey ?? '', 'base64url');
        return `Bearer ${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
      }],
      ['a token with an unknown key id', (token) => {
        const [, claims, signature] = parts(token);
        return `Bearer ${base64({ ...headerOf(token), kid: 'nobody' })}.${claims}.${signature}`;
      }],
      ['a token of 6,000 letters', () => `Bearer ${'a'.repeat(6_000)}`],
    ];
    test.each(forgeries)('%s opens nothing', async (_what, forge) => {
      const authorization = forge(fan.client.session?.token ?? '');
      const options = { headers: { authorization } };
      await expectRefused(await send(newTip(host.roomId, 500), options), 401, 'unauthenticated');
      await expectRefused(await fan.client.call('GET', tips, options), 401, 'unauthenticated');
    });

    test('the name of its scheme is taken in any case', async () => {
      for (const scheme of ['bearer', 'BEARER']) {
        const headers = { authorization: `${scheme} ${fan.client.session?.token}` };
        expect((await fan.client.call('GET', tips, { headers })).status).toBe(200);
      }
    });

    test('a token of another node with other keys opens nothing', async () => {
      const other = await TipflowNode.start();
      try {
        const foreign = await other.client().login('operator', 'admin', adminPassword);
        const answer = await node.client().as(foreign).call('GET', '/api/v1/finance/reconciliation');
        await expectRefused(answer, 401, 'unauthenticated');
      } finally {
        await other.dispose();
      }
    });

    test('a token is not taken from the address', async () => {
      const token = fan.client.session?.token ?? '';
      const answer = await node.client().call('GET', tips, { query: { token, access_token: token } });
      await expectRefused(answer, 401, 'unauthenticated');
    });
  });

  describe('in the signature', () => {
    const body = (tip: NewTip): Buffer => Buffer.from(JSON.stringify(tip));
    const signedWrong: [what: string, options: () => SignatureOptions][] = [
      ['another key', () => ({ key: Buffer.alloc(32, 7).toString('base64url') })],
      ['another body', () => ({ body: body(newTip(host.roomId, 1)) })],
      ['another path', () => ({ target: '/api/v1/tips/' })],
      ['another method', () => ({ method: 'PUT' })],
      ['a query that is not sent', () => ({ target: '/api/v1/tips?x=1' })],
    ];
    test.each(signedWrong)('made over %s, a tip is refused', async (_what, options) => {
      await expectRefused(await send(newTip(host.roomId, 500), { sign: options() }), 401, 'invalid_signature');
    });

    test('missing, a tip, a withdrawal, a share rate and a disabled viewer are refused', async () => {
      const unsigned = { sign: false } as const;
      await expectRefused(await send(newTip(host.roomId, 500), unsigned), 401, 'invalid_signature');
      const finance = `/api/v1/finance/anchors/${host.anchor.id}`;
      const requests = [
        await host.client.call('POST', `${finance}/withdrawals`, {
          json: { traceId: newTraceId(), amount: 1 },
          ...unsigned,
        }),
        await admin.call('POST', `${finance}/share-rates`, { json: { shareBp: 10_000 }, ...unsigned }),
        await admin.call('POST', `/api/v1/viewers/${fan.viewer.id}/disable`, unsigned),
        await admin.call('PUT', '/api/v1/finance/sandbox', { json: { mode: 'reject' }, ...unsigned }),
        await admin.call('POST', `${tips}/batch`, {
          json: { tips: [{ ...newTip(host.roomId, 1), viewerId: fan.viewer.id }] },
          ...unsigned,
        }),
      ];
      for (const answer of requests) await expectRefused(answer, 401, 'invalid_signature');
      expect(await fan.client.viewer(fan.viewer.id)).toMatchObject({ state: 'active' });
    });

    test('with one of its headers missing or misspelt, a tip is refused', async () => {
      const wrong: [name: string, value: string | undefined][] = [
        ['x-tipflow-timestamp', undefined],
        ['x-tipflow-nonce', undefined],
        ['x-tipflow-signature', undefined],
        ['x-tipflow-timestamp', 'now'],
        ['x-tipflow-timestamp', '-1'],
        ['x-tipflow-nonce', 'short'],
        ['x-tipflow-signature', 'v1='],
        ['x-tipflow-signature', `v2=${'0'.repeat(64)}`],
        ['x-tipflow-signature', 'v1=zz'],
      ];
      for (const [name, value] of wrong) {
        const answer = await send(newTip(host.roomId, 500), { headers: { [name]: value } });
        await expectRefused(answer, 401, ['invalid_signature', 'stale_timestamp']);
      }
    });

    test.each([-301_000, -86_400_000, 301_000])('of a clock %i ms away is refused as stale', async (offMs) => {
      const answer = await send(newTip(host.roomId, 500), { sign: { timestampMs: Date.now() + offMs } });
      await expectRefused(answer, 401, 'stale_timestamp');
    });

    test('of a clock four minutes away is taken', async () => {
      const ahead = await send(newTip(host.roomId, 0), { sign: { timestampMs: Date.now() + 240_000 } });
      await expectRefused(ahead, 400, 'invalid_request', [{ field: 'amount', code: 'out_of_range' }]);
    });

    test('does not cover a body that was changed on the way', async () => {
      const tip = newTip(host.roomId, 500);
      const changed = JSON.stringify(tip).replace(':500', ':900');
      await expectRefused(await sendRaw(changed, { sign: { body: body(tip) } }), 401, 'invalid_signature');
    });

    test('does not move to another token', async () => {
      const stranger = await guest(node);
      const answer = await stranger.client.call('POST', tips, {
        json: newTip(host.roomId, 500),
        sign: { key: fan.client.session?.signingKey ?? '' },
      });
      await expectRefused(answer, 401, 'invalid_signature');
    });

    test('replayed with a withdrawal is refused, whatever the first answer was', async () => {
      const story = await anchorWithBalance(node, 10_000);
      books = await countsOf();
      const path = `/api/v1/finance/anchors/${story.anchor.id}/withdrawals`;
      for (const amount of [100, 100_000_000]) {
        const request: CallOptions = {
          json: { traceId: newTraceId(), amount },
          sign: { timestampMs: Date.now(), nonce: `nonce-${newTraceId()}` },
        };
        expect((await story.client.call('POST', path, request)).status).toBe(amount === 100 ? 201 : 422);
        await expectRefused(await story.client.call('POST', path, request), 401, 'nonce_used');
      }
      expect(await story.client.balance(story.anchor.id)).toMatchObject({ withdrawn: 100, reserved: 0 });
      expect(await story.client.withdrawals(story.anchor.id)).toHaveLength(1);
    });

    test('replayed with a tip finds the tip that is there', async () => {
      const request: CallOptions = {
        json: newTip(host.roomId, 500),
        sign: { timestampMs: Date.now(), nonce: `nonce-${newTraceId()}` },
      };
      const first = await fan.client.call('POST', tips, request);
      const replay = await fan.client.call('POST', tips, request);
      expect([first.status, replay.status]).toEqual([201, 200]);
      const after = await countsOf();
      expect(after.tips.count).toBe(books.tips.count + 1);
      books = after;
    });

    test('is not needed where the node is told so, and a token still is', async () => {
      const local = await TipflowNode.start({ env: { TIPFLOW_REQUIRE_SIGNATURE: 'false' } });
      try {
        const show = await anchorWithOpenRoom(local);
        const { client } = await guest(local);
        const answer = await client.call('POST', tips, { json: newTip(show.roomId, 500), sign: false });
        expect(answer.status).toBe(201);
        const anonymous = await client.anonymous().call('POST', tips, { json: newTip(show.roomId, 500), sign: false });
        expect(anonymous.status).toBe(401);
      } finally {
        await local.dispose();
      }
    });
  });

  describe('in the address', () => {
    test('an unknown one answers route_not_found', async () => {
      for (const path of ['/api/v1/nothing', '/api/v2/tips', '/api/v1/tips/batch/x', '/nothing', '/api/v1']) {
        await expectRefused(await fan.client.call('GET', path), 404, 'route_not_found');
      }
    });

    test('a known one with another method answers method_not_allowed', async () => {
      await expectRefused(await fan.client.call('DELETE', tips), 405, 'method_not_allowed');
      await expectRefused(await fan.client.call('PUT', '/api/v1/auth/login', { json: {} }), 405, 'method_not_allowed');
      const allowed = [
        ['DELETE', tips, 'POST, GET'],
        ['POST', `/api/v1/rooms/${host.roomId}/stats`, 'GET'],
        ['DELETE', `/api/v1/rooms/${host.roomId}`, 'GET, PATCH'],
        ['GET', `/api/v1/rooms/${host.roomId}/kicks/7`, 'DELETE'],
        ['DELETE', '/api/v1/admin/jobs/portrait_round', 'PUT'],
      ] as const;
      for (const [method, path, methods] of allowed) {
        const answer = await admin.call(method, path);
        await expectRefused(answer, 405, 'method_not_allowed');
        expect(String(answer.headers['allow']).split(', ').sort()).toEqual(methods.split(', ').sort());
      }
    });

    test('the way between nodes is not open to users', async () => {
      for (const client of [node.client(), fan.client, admin]) {
        const answer = await client.call('POST', '/internal/v1/ledger/batches', {
          json: { lane: 1, from: 1, to: 1, tips: [] },
        });
        expect(answer.status).toBeOneOf([401, 403, 404]);
        expect(await countsOf()).toEqual(books);
      }
    });
  });

  describe('answers', () => {
    test('carry X-Trace-Id whatever they are, a new one for each request', async () => {
      const answers = [
        await node.client().call('GET', '/livez'),
        await node.client().call('GET', '/metrics'),
        await node.client().call('GET', '/nothing'),
        await node.client().call('GET', tips),
        await fan.client.call('GET', tips),
        await send({ nothing: true }),
        await sendRaw('{'),
        await fan.client.call('DELETE', tips),
      ];
      const ids = answers.map((answer) => answer.headers['x-trace-id']);
      for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(new Set(ids).size).toBe(ids.length);
    });

    test('carry the trace id of the traceparent that came, or of the X-Trace-Id', async () => {
      const traceId = newTraceId();
      const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
      const told = await fan.client.call('GET', tips, { headers: { traceparent } });
      expect(told.headers['x-trace-id']).toBe(traceId);
      const failed = await send({}, { headers: { traceparent } });
      expect((failed.body as Problem).traceId).toBe(traceId);

      const named = await fan.client.call('GET', tips, { headers: { 'x-trace-id': traceId } });
      expect(named.headers['x-trace-id']).toBe(traceId);
      const both = await fan.client.call('GET', tips, { headers: { traceparent, 'x-trace-id': newTraceId() } });
      expect(both.headers['x-trace-id']).toBe(traceId);
    });

    test('make a trace id of their own when the one that came is no good', async () => {
      const wrong = [
        { traceparent: 'garbage' },
        { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` },
        { traceparent: `ff-${newTraceId()}-00f067aa0ba902b7-01` },
        { 'x-trace-id': 'x'.repeat(32) },
        { 'x-trace-id': 'abc' },
      ];
      for (const headers of wrong) {
        const { headers: answered } = await fan.client.call('GET', tips, { headers });
        expect(answered['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
        expect(Object.values(headers).join()).not.toContain(answered['x-trace-id']);
      }
    });

    test('speak the language that was asked for', async () => {
      const title = async (language: string): Promise<string> =>
        ((await send({}, { headers: { 'accept-language': language } })).body as Problem).title;
      expect(await title('en')).toBe('The request is not valid.');
      expect(await title('zh-CN,zh;q=0.9,en;q=0.8')).toBe('请求无效。');
    });

    test('say nothing of the inside', async () => {
      const answer = await node.client().call('POST', '/api/v1/anchors', { json: newAnchor({ age: 'old' }) });
      expect(answer.bytes.toString('utf8')).not.toMatch(/\.cc\b|\.h:|sqlite|mariadb|exception|stack/i);
    });
  });

  checkContract();
});
