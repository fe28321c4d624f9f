// The running binary and its contract are one: openapi.yaml, errors.yaml, `tipflow routes`.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acknowledge, alertOf, alerts, change, settings } from './support/alerts.ts';
import { type Answer, Client } from './support/client.ts';
import {
  type Operation,
  checkContract,
  errorCatalogue,
  exampleBody,
  examplePath,
  operations,
  signatureExample,
} from './support/contract.ts';
import { newTraceId } from './support/ids.ts';
import type { Problem } from './support/model.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from './support/node.ts';
import { openapiFile, readText, suiteFile } from './support/paths.ts';
import {
  type AnchorStory,
  type ViewerStory,
  anchorWithBalance,
  anchorWithOpenRoom,
  guest,
  newAnchor,
  newTip,
  newViewer,
  password,
  registeredAnchor,
  registeredViewer,
} from './support/stories.ts';
import { waitFor } from './support/wait.ts';

const nobody = 999_999_999;
const payoutAccount = { realName: '张三', bankAccount: '6222 0212 3456 1234', phone: '13812345678' };
const v1 = '/api/v1';

/** Codes that no test can produce from outside, and why. */
const notReachableYet: Readonly<Record<string, string>> = {
  chat_refused: 'the word filter that comes with the product hides words and refuses no text as a whole',
  guests_may_not_tip: 'no route or setting of the contract changes the policy for guests',
  overloaded: 'needs more requests in the queue than a test can send without slowing the machine down',
  internal_error: 'is a defect by definition',
  not_found: 'every operation names what was not found; the general code has no operation in openapi.yaml',
};

/** Codes whose tests need a node or a database of their own. */
const producedElsewhere: Readonly<Record<string, string>> = {
  upgrade_required: 'rooms.test.ts',
  viewer_muted: 'rooms.test.ts',
  role_unavailable: 'finance_away.test.ts',
  unavailable: 'database_away.test.ts',
  outcome_unknown: 'database_away.test.ts',
  address_blocked: 'gate.test.ts',
  too_many_requests: 'gate.test.ts',
  too_many_attempts: 'gate.test.ts',
  alert_resolved: 'alerts.test.ts',
  portrait_unavailable: 'analysis.test.ts',
};

describe('the contract', () => {
  let node: TipflowNode;
  let admin: Client;
  let host: AnchorStory & { available: number };
  let fan: ViewerStory;
  let traceId: string;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start();
    admin = await node.asAdmin();
    host = await anchorWithBalance(node, 100_000);
    fan = await registeredViewer(node);
    traceId = newTraceId();
    await fan.client.sendTip(newTip(host.roomId, 100, { traceId }));
  });

  afterAll(async () => node?.dispose());

  const call = (operation: Operation, client: Client): Promise<Answer> => {
    const json = exampleBody(operation);
    return client.call(operation.method, examplePath(operation), json === undefined ? {} : { json });
  };

  describe('openapi.yaml', () => {
    test('is what the node serves, byte for byte', async () => {
      const { status, headers, bytes } = await node.client().call('GET', '/openapi.yaml');
      expect(status).toBe(200);
      expect(headers['content-type']).toMatch(/yaml/);
      expect(bytes.toString('utf8')).toBe(readText(openapiFile));
    });

    test('and `tipflow routes` name the same operations', async () => {
      const { code, stdout, stderr } = await node.command('routes');
      expect(code, stderr).toBe(0);
      const lines = stdout.split('\n').filter((line) => line.trim() !== '');
      for (const line of lines) expect(line).toMatch(/^(GET|POST|PUT|PATCH|DELETE)\s+\/\S*\s+\S/);
      const routed = lines
        .map((line) => line.split(/\s+/) as [string, string])
        .filter(([, path]) => !path.startsWith('/internal/'))
        .map(([method, path]) => `${method} ${path}`);
      const documented = operations.map(({ method, path }) => `${method} ${path}`);
      expect(routed.toSorted()).toEqual(documented.toSorted());
    });

    test('signs its example as this client does', () => {
      const { signingKey, method, target, timestamp, nonce, body, signature } = signatureExample;
      const headers = new Client('http://127.0.0.1').signatureOf(method, target, Buffer.from(body), {
        key: signingKey,
        timestampMs: Number(timestamp),
        nonce,
      });
      expect(headers['x-tipflow-signature']).toBe(signature);
    });

    test.each(operations)('$method $path is served', async (operation) => {
      const answer = await call(operation, node.client());
      const { code } = (answer.body ?? {}) as Partial<Problem>;
      expect(answer.status).not.toBe(405);
      expect(code).not.toBe('route_not_found');
      if (operation.secured) expect({ status: answer.status, code }).toEqual({ status: 401, code: 'unauthenticated' });
      else expect(code).not.toBe('unauthenticated');
    });

    const forOperators = operations.filter((operation) => /^Who: an (operator|admin)\./.test(operation.description ?? ''));
    test.each(forOperators)('$method $path is closed to viewers and anchors', async (operation) => {
      for (const { client } of [fan, host]) {
        expect(await call(operation, client)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      }
    });

    const signed = operations.filter((operation) => /\bSigned\./.test(operation.description ?? ''));
    test.each(signed)('$method $path needs a signature', async (operation) => {
      const json = exampleBody(operation);
      const answer = await admin.call(operation.method, examplePath(operation), {
        ...(json === undefined ? {} : { json }),
        sign: false,
      });
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_signature' } });
    });
  });

  // One success for each operation; its answer is held against the file by checkContract().
  const success: Readonly<Record<string, () => Promise<unknown>>> = {
    getLiveness: () => get('/livez'),
    getReadiness: () => get('/readyz'),
    getMetrics: () => get('/metrics'),
    getVersion: () => get('/version'),
    getContract: () => get('/openapi.yaml'),
    getContractAsJson: () => get('/openapi.json'),
    getDocs: () => get('/docs'),
    login: () => node.client().login('viewer', fan.viewer.name, password),
    logout: async () => (await guest(node)).client.logout(),
    registerAnchor: () => node.client().createAnchor(newAnchor({ region: '上海', category: 'music', tags: ['吉他'] })),
    listAnchors: () => fan.client.ask('GET', '/anchors'),
    getAnchor: () => fan.client.anchor(host.anchor.id),
    changeAnchor: () => host.client.ask('PATCH', `/anchors/${host.anchor.id}`, { json: { region: '北京' } }),
    listRooms: () => fan.client.ask('GET', '/rooms'),
    getRoom: () => fan.client.room(host.roomId),
    changeRoom: () => host.client.ask('PATCH', `/rooms/${host.roomId}`, { json: { title: '生日会' } }),
    openRoom: () => host.client.openRoom(host.roomId),
    closeRoom: async () => {
      const other = await anchorWithOpenRoom(node);
      await other.client.closeRoom(other.roomId);
    },
    listRoomSessions: () => fan.client.roomSessions(host.roomId),
    banRoom: async () => admin.ask('POST', `/rooms/${(await registeredAnchor(node)).roomId}/ban`, { json: { reason: 'test' } }),
    liftBan: async () => admin.ask('DELETE', `/rooms/${(await registeredAnchor(node)).roomId}/ban`),
    listKicks: async () => {
      await kick('kicks', { viewerId: (await guest(node)).viewer.id });
      await host.client.ask('GET', `/rooms/${host.roomId}/kicks`);
    },
    kickViewer: async () => kick('kicks', { viewerId: (await guest(node)).viewer.id, reason: 'test', seconds: 60 }),
    endKick: () => host.client.ask('DELETE', `/rooms/${host.roomId}/kicks/${fan.viewer.id}`),
    listMutes: async () => {
      await kick('mutes', { viewerId: fan.viewer.id, seconds: 60 });
      await admin.ask('GET', `/rooms/${host.roomId}/mutes`);
    },
    muteViewer: () => kick('mutes', { viewerId: fan.viewer.id, seconds: 60 }),
    endMute: () => host.client.ask('DELETE', `/rooms/${host.roomId}/mutes/${fan.viewer.id}`),
    listChats: () => admin.ask('GET', `/rooms/${host.roomId}/chats`),
    getRoomStats: () => fan.client.ask('GET', `/rooms/${host.roomId}/stats`),
    getRoomStream: () => fan.client.ask('GET', `/rooms/${host.roomId}/stream`),
    putRoomTags: () => host.client.ask('PUT', `/rooms/${host.roomId}/tags`, { json: { tags: ['音乐'] } }),
    putViewerTags: () => fan.client.ask('PUT', `/viewers/${fan.viewer.id}/tags`, { json: { tags: ['音乐'] } }),
    listTags: () => fan.client.ask('GET', '/tags'),
    registerViewer: () => node.client().createViewer(newViewer({ region: '上海', tags: ['音乐'] })),
    listViewers: () => admin.ask('GET', '/viewers'),
    createGuest: () => node.client().createGuest(),
    getViewer: () => fan.client.viewer(fan.viewer.id),
    changeViewer: () => fan.client.ask('PATCH', `/viewers/${fan.viewer.id}`, { json: { region: '广州' } }),
    disableViewer: async () => admin.ask('POST', `/viewers/${(await guest(node)).viewer.id}/disable`),
    enableViewer: () => admin.ask('POST', `/viewers/${fan.viewer.id}/enable`),
    upgradeGuest: async () => {
      const { viewer, client } = await guest(node);
      await client.ask('POST', `/viewers/${viewer.id}/upgrade`, { json: newViewer() });
    },
    createTip: async () => {
      const tip = newTip(host.roomId, 5_200, { giftId: 3, count: 10, message: '好听！' });
      expect((await fan.client.sendTip(tip)).status).toBe(201);
      expect((await fan.client.sendTip(tip)).status).toBe(200);
    },
    listTips: () => fan.client.tips({ roomId: host.roomId }),
    createTips: () =>
      admin.sendBatch([
        { ...newTip(host.roomId, 10), viewerId: fan.viewer.id },
        { ...newTip(nobody, 10), viewerId: fan.viewer.id },
      ]),
    getTip: () => fan.client.tip(traceId),
    getTipJourney: () => fan.client.journey(traceId),
    listIpBlocks: () => admin.ask('GET', '/admin/ip-blocks'),
    addIpBlock: () => admin.ask('POST', '/admin/ip-blocks', { json: { network: '203.0.113.0/24', reason: 'test' } }),
    deleteIpBlock: async () => {
      const { body } = await admin.ask<{ id: number }>('POST', '/admin/ip-blocks', {
        json: { network: '198.51.100.0/24', reason: 'test' },
      });
      await admin.ask('DELETE', `/admin/ip-blocks/${body.id}`);
    },
    listOperatorActions: () => admin.ask('GET', '/admin/audit-log'),
    listViewerTips: () => fan.client.ask('GET', `/viewers/${fan.viewer.id}/tips`),
    getBalance: () => host.client.balance(host.anchor.id),
    listShareRates: () => host.client.shareRates(host.anchor.id),
    setShareRate: () => admin.setShareRate(host.anchor.id, { shareBp: 6_000 }),
    listWithdrawals: async () => {
      await host.client.withdraw(host.anchor.id, { traceId: newTraceId(), amount: 2 });
      await host.client.withdrawals(host.anchor.id);
    },
    requestWithdrawal: () => host.client.withdraw(host.anchor.id, { traceId: newTraceId(), amount: 1 }),
    getWithdrawal: async () => {
      const request = { traceId: newTraceId(), amount: 3 };
      await host.client.withdraw(host.anchor.id, request);
      await host.client.withdrawal(request.traceId);
    },
    getPayoutAccount: async () => {
      await admin.call('PUT', finance('/payout-account'), { json: payoutAccount });
      await host.client.call('GET', finance('/payout-account'));
    },
    setPayoutAccount: () => host.client.call('PUT', finance('/payout-account'), { json: payoutAccount }),
    getStatement: () =>
      host.client.statement(host.anchor.id, {
        from: new Date(Date.now() - 86_400_000).toISOString(),
        to: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    getReconciliation: () => admin.reconciliation(),
    getHourlyAnalysis: () => admin.ask('GET', '/analysis/hourly', { query: { groupBy: 'hour,anchor,viewerGender' } }),
    getViewerAnalysis: () => fan.client.ask('GET', `/analysis/viewers/${fan.viewer.id}/portrait`),
    getTiers: () => admin.ask('GET', '/analysis/tiers'),
    listRounds: () => admin.ask('GET', '/analysis/rounds'),
    runRound: () => admin.ask('POST', '/analysis/rounds'),
    getBusinessMetrics: () => admin.ask('GET', '/analysis/metrics'),
    rankAnchors: () => admin.ask('GET', '/analysis/anchors/ranking'),
    getAnchorSummary: () => host.client.ask('GET', `/analysis/anchors/${host.anchor.id}/summary`),
    getHeatmap: () => admin.ask('GET', '/analysis/heatmap'),
    getRetention: () => admin.ask('GET', '/analysis/retention'),
    getTrend: () => admin.ask('GET', '/analysis/trend', { query: { step: 'day' } }),
    getRelatedTags: () => admin.ask('GET', `/analysis/tags/${encodeURIComponent('音乐')}/related`),
    getTagMatrix: () => admin.ask('GET', '/analysis/tags/matrix'),
    listRecommendedRooms: () => fan.client.ask('GET', `/analysis/viewers/${fan.viewer.id}/recommended-rooms`),
    getTopViewers: () => fan.client.ask('GET', '/tips/top-viewers', { query: { anchorId: host.anchor.id } }),
    getOverview: () => admin.ask('GET', '/admin/overview'),
    getServices: () => admin.ask('GET', '/admin/services'),
    getDatabases: () => admin.ask('GET', '/admin/database'),
    listJobs: () => admin.ask('GET', '/admin/jobs'),
    changeJob: () => admin.ask('PUT', '/admin/jobs/drop_old_chat', { json: { paused: false } }),
    listJobRuns: () => admin.ask('GET', '/admin/jobs/drop_old_chat/runs'),
    runJob: () => admin.ask('POST', '/admin/jobs/drop_old_chat/runs'),
    getViewerPortrait: () => fan.client.ask('GET', `/viewers/${fan.viewer.id}/portrait`),
    listLogs: () => admin.ask('GET', '/admin/logs'),
    listTraces: () => admin.ask('GET', '/admin/traces'),
    getTrace: async () => {
      const path = `${v1}/admin/traces/${String((await get('/version')).headers['x-trace-id'])}`;
      await waitFor('the trace is kept', async () => (await admin.call('GET', path)).status === 200);
    },
    listAlerts: () => alerts(admin),
    acknowledgeAlert: async () => {
      await change(admin, { 'alerts.disk_free_percent': 100, 'alerts.raise_seconds': 0 });
      await acknowledge(admin, (await alertOf(admin, 'disk_free', 'raised')).id);
      await change(admin, { 'alerts.disk_free_percent': null, 'alerts.raise_seconds': null });
    },
    getSettings: () => settings(admin),
    setSettings: () => change(admin, { 'log.level': 'info' }),
    getSandbox: () => admin.ask('GET', '/finance/sandbox'),
    setSandbox: () => admin.setSandbox('pay'),
  };

  const kick = (what: 'kicks' | 'mutes', json: object): Promise<unknown> =>
    host.client.ask('POST', `/rooms/${host.roomId}/${what}`, { json });
  const get = async (path: string): Promise<Answer> => {
    const answer = await node.client().call('GET', path);
    expect(answer.status).toBe(200);
    return answer;
  };

  describe('a success', () => {
    test('is tried for every operation of openapi.yaml', () => {
      expect(Object.keys(success).toSorted()).toEqual(operations.map((each) => each.operationId).toSorted());
    });

    test.each(Object.keys(success))('of %s is what a client gets', async (operationId) => {
      await success[operationId]?.();
      expect(seen.succeeded).toContain(operationId);
    });
  });

  // One way to each error code.
  const tip = (json: object, client = fan.client): Promise<Answer> => client.call('POST', `${v1}/tips`, { json });
  const invalid = (change: object) => async (): Promise<Answer> => tip({ ...newTip(host.roomId, 1), ...change });
  const finance = (path: string): string => `${v1}/finance/anchors/${host.anchor.id}${path}`;
  const failure: Readonly<Record<string, () => Promise<Answer>>> = {
    invalid_request: invalid({ amount: 0 }),
    malformed_json: () => fan.client.call('POST', `${v1}/tips`, { raw: '{' }),
    unsupported_media_type: () =>
      fan.client.call('POST', `${v1}/tips`, { json: newTip(host.roomId, 1), headers: { 'content-type': 'text/plain' } }),
    body_too_large: () => fan.client.call('POST', `${v1}/tips`, { raw: Buffer.alloc(70_000, ' ') }),
    route_not_found: () => fan.client.call('GET', `${v1}/nothing`),
    method_not_allowed: () => fan.client.call('DELETE', `${v1}/tips`),
    required: invalid({ amount: undefined }),
    unknown_field: invalid({ surprise: 1 }),
    wrong_type: invalid({ amount: '1' }),
    out_of_range: invalid({ amount: 100_000_001 }),
    invalid_format: invalid({ traceId: 'x' }),
    unauthenticated: () => node.client().call('GET', `${v1}/tips`),
    invalid_credentials: () =>
      node.client().call('POST', `${v1}/auth/login`, {
        json: { kind: 'viewer', name: fan.viewer.name, password: 'not the password' },
      }),
    invalid_signature: () => fan.client.call('POST', `${v1}/tips`, { json: newTip(host.roomId, 1), sign: false }),
    stale_timestamp: () =>
      fan.client.call('POST', `${v1}/tips`, {
        json: newTip(host.roomId, 1),
        sign: { timestampMs: Date.now() - 600_000 },
      }),
    nonce_used: async () => {
      const sign = { nonce: newTraceId(), timestampMs: Date.now() };
      await admin.call('PUT', `${v1}/finance/sandbox`, { json: { mode: 'pay' }, sign });
      return admin.call('PUT', `${v1}/finance/sandbox`, { json: { mode: 'pay' }, sign });
    },
    forbidden: () => fan.client.call('GET', `${v1}/finance/reconciliation`),
    anchor_not_found: () => fan.client.call('GET', `${v1}/anchors/${nobody}`),
    room_not_found: () => fan.client.call('GET', `${v1}/rooms/${nobody}`),
    ip_block_not_found: () => admin.call('DELETE', `${v1}/admin/ip-blocks/${nobody}`),
    would_block_yourself: () =>
      admin.call('POST', `${v1}/admin/ip-blocks`, { json: { network: '127.0.0.0/8', reason: 'test' } }),
    viewer_not_found: () => admin.call('GET', `${v1}/viewers/${nobody}`),
    tip_not_found: () => fan.client.call('GET', `${v1}/tips/${newTraceId()}`),
    payout_account_not_found: async () =>
      admin.call('GET', `${v1}/finance/anchors/${(await registeredAnchor(node)).anchor.id}/payout-account`),
    trace_not_found: () => admin.call('GET', `${v1}/admin/traces/${newTraceId()}`),
    alert_not_found: () => admin.call('POST', `${v1}/admin/alerts/${nobody}/acknowledge`),
    withdrawal_not_found: () => host.client.call('GET', `${v1}/finance/withdrawals/${newTraceId()}`),
    name_taken: () =>
      node.client().call('POST', `${v1}/viewers`, { json: { ...newViewer(), name: fan.viewer.name } }),
    viewer_kicked: async () => {
      const { viewer, client } = await guest(node);
      await kick('kicks', { viewerId: viewer.id });
      return tip(newTip(host.roomId, 1), client);
    },
    room_banned: async () => {
      const { roomId } = await registeredAnchor(node);
      await admin.ask('POST', `/rooms/${roomId}/ban`, { json: { reason: 'test' } });
      return tip(newTip(roomId, 1));
    },
    job_not_found: () => admin.call('GET', `${v1}/admin/jobs/no_such_job/runs`),
    room_not_live: async () => tip(newTip((await registeredAnchor(node)).roomId, 1)),
    viewer_disabled: async () => {
      const { viewer, client } = await guest(node);
      await admin.ask('POST', `/viewers/${viewer.id}/disable`);
      return tip(newTip(host.roomId, 1), client);
    },
    not_a_guest: () => fan.client.call('POST', `${v1}/viewers/${fan.viewer.id}/upgrade`, { json: newViewer() }),
    trace_id_conflict: () => tip(newTip(host.roomId, 99, { traceId })),
    viewer_underage: async () => tip(newTip(host.roomId, 1), (await registeredViewer(node, { age: 12 })).client),
    insufficient_balance: () =>
      host.client.call('POST', finance('/withdrawals'), { json: { traceId: newTraceId(), amount: 100_000_000_000 } }),
    effective_from_in_past: () =>
      admin.call('POST', finance('/share-rates'), {
        json: { shareBp: 5_000, effectiveFrom: new Date(Date.now() - 3_600_000).toISOString() },
      }),
    range_too_long: () =>
      host.client.call('GET', finance('/statement'), {
        query: { from: '2024-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' },
      }),
  };

  describe('an error', () => {
    test('of every code in errors.yaml is produced by a test, or is listed with the reason why not', () => {
      const accounted = [...Object.keys(failure), ...Object.keys(producedElsewhere), ...Object.keys(notReachableYet)];
      expect(accounted.toSorted()).toEqual(errorCatalogue.map((entry) => entry.code).toSorted());
      for (const [code, file] of Object.entries(producedElsewhere)) {
        expect(readText(suiteFile(file)), `${file} expects ${code}`).toContain(`'${code}'`);
      }
    });

    test.each(errorCatalogue.filter((entry) => failure[entry.code] !== undefined))(
      '$code is reached, with its status and its words in both languages',
      async ({ code, status, field, en, zh }) => {
        const answer = (await failure[code]?.()) as Answer<Problem>;
        expect(answer.status).toBe(status);
        if (field === true) {
          expect(answer.body.code).toBe('invalid_request');
          expect(answer.body.errors?.map((each) => each.code)).toEqual([code]);
          return;
        }
        expect(answer.body).toMatchObject({ code, status });
        expect([en, zh]).toContain(answer.body.title);
      },
    );

    test.each(['en', 'zh'] as const)('speaks %s when asked', async (language) => {
      const answer = await fan.client.call<Problem>('GET', `${v1}/tips/${newTraceId()}`, {
        headers: { 'accept-language': language },
      });
      expect(answer.body.title).toBe(errorCatalogue.find((entry) => entry.code === 'tip_not_found')?.[language]);
    });
  });

  describe('a node', () => {
    test('answers /livez, /readyz, /version and /docs without a token', async () => {
      expect((await get('/livez')).body).toEqual({ status: 'up' });
      expect((await get('/readyz')).body).toMatchObject({ status: 'ready' });
      expect((await get('/version')).body).toMatchObject({
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        roles: expect.arrayContaining(['anchor', 'audience', 'finance']),
      });
      const docs = await get('/docs');
      expect(docs.headers['content-type']).toMatch(/^text\/html\b/);
      expect(docs.bytes.toString('utf8')).toMatch(/<html/i);
      expect(docs.bytes.toString('utf8'), 'the page needs nothing from elsewhere').not.toMatch(
        /(src|href)=["']?(https?:)?\/\//i,
      );
    });

    test('measures itself in the text format of Prometheus, and counts tips', async () => {
      const tipsOf = (metrics: string): number =>
        [...metrics.matchAll(/^tipflow_tips_total(?:\{[^}]*\})? (\S+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
      const before = await get('/metrics');
      expect(before.headers['content-type']).toMatch(/^text\/plain\b/);
      const text = before.bytes.toString('utf8');
      expect(text.endsWith('\n')).toBe(true);
      const label = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"`;
      const sample = new RegExp(
        String.raw`^[a-zA-Z_:][\w:]*(\{(${label}(,${label})*,?)?\})? ([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]Inf|NaN)( -?\d+)?$`,
      );
      const declared = new Map<string, string>();
      for (const line of text.split('\n').slice(0, -1)) {
        const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
        if (type !== null) {
          expect(declared.has(type[1] as string), `${type[1]} was declared before`).toBe(false);
          declared.set(type[1] as string, type[2] as string);
        } else if (line !== '' && !line.startsWith('#')) expect(line).toMatch(sample);
      }
      expect(declared.size).toBeGreaterThan(0);

      await fan.client.sendTip(newTip(host.roomId, 1));
      expect(tipsOf((await get('/metrics')).bytes.toString('utf8'))).toBeGreaterThan(tipsOf(text));
    });

    test('knows its first admin by the password it was given', async () => {
      expect((await node.client().login('operator', 'admin', adminPassword)).role).toBe('admin');
      await expect(node.client().login('operator', 'admin', 'admin')).rejects.toMatchObject({
        code: 'invalid_credentials',
      });
    });

    test('can be brought up to date again by `tipflow migrate`, which changes nothing more', async () => {
      const { code, stdout, stderr } = await node.command('migrate');
      expect(code, stdout + stderr).toBe(0);
      expect((await fan.client.tip(traceId)).amount).toBe(100);
    });
  });

  const seen = checkContract();
});
