// One tip followed by its trace id: the request, its commit, its push, its settlement, as spans and as log lines; and
// the same spans at a collector that speaks OTLP.
import { randomBytes } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asHex } from './support/ids.ts';
import { TipflowNode, adminPassword, showOutputOnFailure } from './support/node.ts';
import { type AnchorStory, type ViewerStory, anchorWithOpenRoom, guest, newTip } from './support/stories.ts';
import { waitFor, waitUntil } from './support/wait.ts';

interface Span {
  spanId: string;
  parentId?: string;
  name: string;
  role: string;
  durationMs: number;
  error: boolean;
}

interface Line {
  level: string;
  msg: string;
  traceId?: string;
  spanId?: string;
  fields: Record<string, unknown>;
}

interface Trace {
  traceId: string;
  spans: Span[];
  logs: Line[];
}

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
}

const steps = ['POST /api/v1/tips', 'tip commit', 'tip push', 'tip settle'];

/** A collector of others: keeps the spans that it is sent. */
class Collector {
  readonly spans: OtlpSpan[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<Collector> {
    const bodies: ((text: string) => void)[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        for (const take of bodies) take(Buffer.concat(chunks).toString('utf8'));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const collector = new Collector(server, `http://127.0.0.1:${port}/v1/traces`);
    bodies.push((text) => {
      const sent = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] };
      for (const resource of sent.resourceSpans) {
        for (const scope of resource.scopeSpans) collector.spans.push(...scope.spans);
      }
    });
    return collector;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('a tip under its trace id', () => {
  let collector: Collector;
  let node: TipflowNode;
  let host: AnchorStory;
  let fan: ViewerStory;
  showOutputOnFailure(() => node);

  beforeAll(async () => {
    collector = await Collector.start();
    node = await TipflowNode.start({ env: { TIPFLOW_TRACE_OTLP_URL: collector.url } });
    host = await anchorWithOpenRoom(node);
    fan = await guest(node);
  });

  afterAll(async () => {
    await node?.dispose();
    await collector?.close();
  });

  async function traceOf(id: string, spans: number): Promise<Trace> {
    const admin = await node.asAdmin();
    return waitFor(`trace ${id} has ${spans} spans`, async () => {
      const { status, body } = await admin.call<Trace>('GET', `/api/v1/admin/traces/${id}`);
      return status === 200 && body.spans.length >= spans && body;
    });
  }

  test('every step is a span below the one that asked for it, and a log line', async () => {
    const traceId = randomBytes(16).toString('hex');
    const caller = randomBytes(8).toString('hex');
    const tip = newTip(host.roomId, 5_200);
    const answer = await fan.client.call('POST', '/api/v1/tips', {
      json: { ...tip, message: '好！"quoted"\\n' },
      headers: { traceparent: `00-${traceId}-${caller}-01` },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers['x-trace-id']).toBe(traceId);

    const trace = await traceOf(traceId, steps.length);
    const named = (name: string): Span => {
      const span = trace.spans.find((one) => one.name === name);
      if (span === undefined) throw new Error(`no span ${name}`);
      return span;
    };
    expect(trace.spans.map((span) => span.name).sort()).toEqual([...steps].sort());
    expect(named('POST /api/v1/tips').parentId).toBe(caller);
    expect(named('tip commit').parentId).toBe(named('POST /api/v1/tips').spanId);
    expect(named('tip push').parentId).toBe(named('POST /api/v1/tips').spanId);
    expect(named('tip settle')).toMatchObject({ parentId: named('tip push').spanId, role: 'finance', error: false });

    const lines = trace.logs.map((line) => line.msg);
    for (const msg of ['request', 'tip committed', 'tip pushed', 'tip settled']) expect(lines).toContain(msg);
    const request = trace.logs.find((line) => line.msg === 'request');
    expect(request?.fields).toMatchObject({ method: 'POST', path: '/api/v1/tips', status: 201, tip: asHex(tip.traceId) });
    expect(JSON.parse(String(request?.fields['body']))).toMatchObject({ amount: 5_200, message: '好！"quoted"\\n' });

    // The tip's own id finds the same lines.
    const byTip = await (await node.asAdmin()).call<{ items: Line[] }>('GET', '/api/v1/admin/logs', {
      query: { traceId: asHex(tip.traceId) },
    });
    expect(byTip.body.items.map((line) => line.traceId)).toEqual(Array(4).fill(traceId));

    await waitUntil(
      'the collector has the spans',
      () => Promise.resolve(collector.spans.filter((span) => span.traceId === traceId).map((span) => span.name).sort()),
      (names) => names.join() === [...steps].sort().join(),
    );
  });

  test('a trace that its sender does not keep is not kept, and its line still is', async () => {
    const traceId = randomBytes(16).toString('hex');
    await fan.client.call('POST', '/api/v1/tips', {
      json: newTip(host.roomId, 100),
      headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-00` },
    });
    const admin = await node.asAdmin();
    await waitFor('the line is kept', async () => {
      const { body } = await admin.call<{ items: Line[] }>('GET', '/api/v1/admin/logs', { query: { traceId } });
      return body.items.length > 0;
    });
    expect((await admin.call<Trace>('GET', `/api/v1/admin/traces/${traceId}`)).body.spans ?? []).toEqual([]);
  });

  test('passwords are in no line, wherever they were sent', async () => {
    const secret = `secret-${randomBytes(8).toString('hex')}`;
    const client = node.client();
    await client.call('POST', '/api/v1/auth/login', { json: { kind: 'viewer', name: 'nobody', password: secret } });
    await client.call('POST', '/api/v1/auth/login', { raw: `{"kind":"viewer","name":"nobody","pass\\u0077ord":"${secret}"}` });
    await client.call('POST', '/api/v1/auth/login', { raw: `{"kind":"viewer","password":"${secret}"` });
    const last = await client.call('GET', '/api/v1/rooms', { query: { token: secret } });
    const admin = await node.asAdmin();
    await waitFor('the last line is kept', async () => {
      const { body } = await admin.call<{ items: Line[] }>('GET', '/api/v1/admin/logs', {
        query: { traceId: String(last.headers['x-trace-id']) },
      });
      return body.items.length > 0;
    });
    const lines = await admin.call<{ items: Line[] }>('GET', '/api/v1/admin/logs', { query: { pageSize: 100 } });
    const text = JSON.stringify(lines.body);
    expect(text).toContain('/api/v1/auth/login');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(adminPassword);
  });

  test('a line cannot be forged by what is sent', async () => {
    const forged = '"}\n{"ts":"2026-01-01T00:00:00.000Z","level":"error","role":"finance","msg":"all money is gone"}';
    await node.client().call('POST', '/api/v1/auth/login', { json: { kind: 'viewer', name: forged, password: 'x' } });
    const last = await node.client().call('GET', `/api/v1/viewers/${encodeURIComponent(forged)}`);
    const admin = await node.asAdmin();
    await waitFor('the last line is kept', async () => {
      const { body } = await admin.call<{ items: Line[] }>('GET', '/api/v1/admin/logs', {
        query: { traceId: String(last.headers['x-trace-id']) },
      });
      return body.items.length > 0;
    });
    const errors = await admin.call<{ items: Line[] }>('GET', '/api/v1/admin/logs', { query: { level: 'error' } });
    expect(errors.body.items).toEqual([]);
  });
});
