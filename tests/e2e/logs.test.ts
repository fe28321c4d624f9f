// Log lines and traces, as an operator finds them: what a tip left behind, filters, pages, hostile text, restarts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client } from './support/client.ts';
import { newTraceId } from './support/ids.ts';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { type AnchorStory, type ViewerStory, anchorWithOpenRoom, newTip, registeredViewer } from './support/stories.ts';
import { waitFor } from './support/wait.ts';

interface LogLine {
  ts: string;
  level: string;
  role: string;
  node: string;
  traceId: string | null;
  spanId: string | null;
  msg: string;
  fields: Record<string, unknown>;
}

interface LogPage {
  items: LogLine[];
  nextPageToken: string | null;
  searchedTo: string | null;
}

interface Span {
  spanId: string;
  parentId: string | null;
  name: string;
  role: string;
  startedAt: string;
  durationMs: number;
  error: boolean;
  attributes: Record<string, unknown>;
}

interface Trace {
  traceId: string;
  complete: boolean;
  spans: Span[];
  logs: LogLine[];
}

interface TracePage {
  items: { traceId: string; name: string; role: string; startedAt: string; durationMs: number; error: boolean; spans: number }[];
  nextPageToken: string | null;
}

type Query = Readonly<Record<string, string | number | undefined>>;

describe('kept log lines', () => {
  let node: TipflowNode;
  let admin: Client;
  let host: AnchorStory;
  let fan: ViewerStory;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    node = await TipflowNode.start();
    admin = await node.asAdmin();
    host = await anchorWithOpenRoom(node);
    fan = await registeredViewer(node);
  });
  afterAll(async () => node?.dispose());

  const ask = async <T>(path: string, query: Query = {}): Promise<T> => {
    const answer = await admin.call<T>('GET', `/api/v1/admin${path}`, { query });
    expect(answer.status, answer.bytes.toString()).toBe(200);
    return answer.body;
  };
  const logs = (query: Query = {}): Promise<LogPage> => ask<LogPage>('/logs', query);
  const traceOf = (answer: Answer): string => String(answer.headers['x-trace-id']);
  /** Lines arrive a moment after they were written. */
  const linesOf = (query: Query, least = 1): Promise<LogLine[]> =>
    waitFor(`${least} lines for ${JSON.stringify(query)}`, async () => {
      const { items } = await logs({ pageSize: 100, ...query });
      return items.length >= least && items;
    });

  test('tell of a request under its trace id', async () => {
    const answer = await fan.client.call('GET', `/api/v1/rooms/${host.roomId}`);
    const [line] = await linesOf({ traceId: traceOf(answer) });
    expect(line).toMatchObject({
      level: 'info',
      role: 'anchor',
      traceId: traceOf(answer),
      msg: 'request',
      fields: { method: 'GET', path: `/api/v1/rooms/${host.roomId}`, status: 200 },
    });
  });

  test('and spans show a tip from the request to its settlement, by the trace and by the tip', async () => {
    const tip = newTip(host.roomId, 100);
    const answer = await fan.client.sendTip(tip);
    const id = traceOf(answer);
    const trace = await waitFor('the tip is settled in its trace', async () => {
      const found = await ask<Trace>(`/traces/${id}`).catch(() => undefined);
      return found?.spans.some((span) => span.role === 'finance') && found;
    });
    expect(trace).toMatchObject({ traceId: id, complete: true });
    const spanIds = new Set(trace.spans.map((span) => span.spanId));
    const [first, ...rest] = trace.spans;
    expect(first).toMatchObject({ name: 'POST /api/v1/tips', parentId: null, error: false });
    expect(rest.length).toBeGreaterThanOrEqual(2);
    for (const span of rest) expect(spanIds.has(String(span.parentId)), `${span.name} has a parent`).toBe(true);
    const starts = trace.spans.map((span) => span.startedAt);
    expect(starts).toEqual(starts.toSorted());
    expect(trace.logs.length).toBeGreaterThan(0);

    expect((await ask<Trace>(`/traces/${tip.traceId}`)).traceId).toBe(id);
    expect((await linesOf({ traceId: tip.traceId })).map((line) => line.msg)).toContain('request');
    const { items } = await ask<TracePage>('/traces', { name: 'POST /api/v1/tips', pageSize: 100 });
    expect(items.find((item) => item.traceId === id)?.spans).toBe(trace.spans.length);
  });

  test('are found by words, level, role and time', async () => {
    const from = new Date().toISOString();
    const answer = await fan.client.call('GET', '/api/v1/anchors', { query: { q: 'nachtigall' } });
    await linesOf({ traceId: traceOf(answer), from });
    for (const line of await linesOf({ service: 'anchor', from })) {
      expect(line.role).toBe('anchor');
      expect(line.ts >= from.slice(0, 23)).toBe(true);
    }
    const own = await linesOf({ q: `request anchors ${traceOf(answer)}` });
    expect(own.map((line) => line.traceId)).toEqual([traceOf(answer)]);
    expect((await logs({ level: 'error', traceId: traceOf(answer) })).items).toEqual([]);
    expect((await logs({ q: 'nosuchword' })).items).toEqual([]);
    expect((await logs({ to: '2020-01-01T00:00:00.000Z' })).items).toEqual([]);
  });

  test('come newest first, and pages hold each once', async () => {
    for (let i = 0; i < 12; ++i) await fan.client.call('GET', '/api/v1/rooms');
    const to = new Date().toISOString();
    await linesOf({ service: 'anchor', to }, 12);
    const all = await linesOf({ service: 'anchor', to });
    const paged: LogLine[] = [];
    for (let pageToken: string | undefined; ; ) {
      const page = await logs({ service: 'anchor', to, pageSize: 5, pageToken });
      paged.push(...page.items);
      if (page.nextPageToken === null) break;
      pageToken = page.nextPageToken;
    }
    expect(paged.slice(0, all.length)).toEqual(all);
    const times = paged.map((line) => line.ts);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  test('hold hostile text as text', async () => {
    const hostile = 'a"}\n{"level":"error","msg":"forged"}\r\u001B[31m \\u0022 <script>好';
    const answer = await fan.client.call('GET', `/api/v1/rooms/${encodeURIComponent(hostile)}`);
    const lines = await linesOf({ traceId: traceOf(answer) });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.level).not.toBe('error');
    expect(JSON.stringify(lines[0]?.fields)).toContain('forged');
    expect((await logs({ level: 'error', q: 'forged' })).items).toEqual([]);
  });

  test.each([
    ['/logs', { level: 'loud' }, 'level'],
    ['/logs', { q: '***' }, 'q'],
    ['/logs', { traceId: 'x' }, 'traceId'],
    ['/logs', { from: 'yesterday' }, 'from'],
    ['/logs', { pageSize: 101 }, 'pageSize'],
    ['/logs', { pageToken: 'x' }, 'pageToken'],
    ['/traces', { minDurationMs: -1 }, 'minDurationMs'],
    ['/traces', { error: 'maybe' }, 'error'],
    ['/traces/x', {}, 'traceId'],
  ] as const)('are not looked for with a wrong filter: %s %j', async (path, query, field) => {
    const answer = await admin.call('GET', `/api/v1/admin${path}`, { query });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ field }] } });
  });

  test('of a trace that is not there are answered so', async () => {
    expect(await admin.call('GET', `/api/v1/admin/traces/${newTraceId()}`)).toMatchObject({
      status: 404,
      body: { code: 'trace_not_found' },
    });
  });

  test('are nobody else’s', async () => {
    for (const path of ['/logs', '/traces', `/traces/${newTraceId()}`]) {
      expect((await fan.client.call('GET', `/api/v1/admin${path}`)).status).toBe(403);
      expect((await host.client.call('GET', `/api/v1/admin${path}`)).status).toBe(403);
      expect((await node.client().call('GET', `/api/v1/admin${path}`)).status).toBe(401);
    }
  });

  test('are there after a restart and after a kill', async () => {
    const ids: string[] = [];
    for (const end of [() => node.stop(), () => node.kill()]) {
      const answer = await fan.client.call('GET', '/api/v1/rooms');
      ids.push(traceOf(answer));
      await linesOf({ traceId: traceOf(answer) });
      await end();
      await node.launch();
      admin = await node.asAdmin();
    }
    for (const traceId of ids) expect(await linesOf({ traceId })).toHaveLength(1);
  });
});
