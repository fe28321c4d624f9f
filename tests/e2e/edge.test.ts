// The edge as a caller and a node see it: nginx as `tipflow edge` configures it, in front of nodes that do as they are told.
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Edge, type EdgeAnswer, showEdgeOnFailure } from './support/edge.ts';
import { TipflowNode } from './support/node.ts';
import { openapiFile, readText } from './support/paths.ts';
import { FakeConsul, StandIn } from './support/standins.ts';
import { waitFor } from './support/wait.ts';

const roles = ['anchor', 'audience', 'finance', 'analysis', 'room', 'mock', 'console'] as const;
const tips = '/api/v1/tips';
const hex32 = /^[0-9a-f]{32}$/;

const expectProblem = (answer: EdgeAnswer, status: number, code: string): void => {
  expect({ status: answer.status, code: answer.json['code'] }, answer.text).toEqual({ status, code });
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json).toMatchObject({ status, traceId: answer.headers['x-trace-id'] });
  expect(answer.json['traceId']).toMatch(hex32);
  expect(answer.headers['retry-after']).toBe(status === 503 || status === 429 ? '1' : undefined);
};

describe('the edge', () => {
  let consul: FakeConsul;
  let edge: Edge;
  const nodes = new Map<string, StandIn>();
  const node = (role: string): StandIn => nodes.get(role) as StandIn;
  showEdgeOnFailure(() => edge);

  let blocked: string[] = [];

  beforeAll(async () => {
    consul = await FakeConsul.start();
    for (const role of roles) {
      nodes.set(role, await StandIn.start(role));
      consul.set(role, [node(role)]);
    }
    edge = await Edge.start(consul.url, {
      TIPFLOW_LIMITS_ADDRESS_PER_SECOND: '5',
      TIPFLOW_LIMITS_ADDRESS_BURST: '5',
      TIPFLOW_LIMITS_ADDRESS_CONNECTIONS: '3',
      TIPFLOW_LIMITS_EXEMPT: '127.0.0.1/32',
    });
    await waitFor('every role is served', async () => {
      const answers = await Promise.all(
        ['/api/v1/rooms', tips, '/api/v1/finance/x', '/api/v1/analysis/x', '/ws/rooms/1', '/api/v1/mock/runs', '/api/v1/admin/jobs'].map(
          (path) => edge.ask('GET', path),
        ),
      );
      return answers.every(({ status }) => status === 200);
    });
  });

  beforeEach(() => {
    for (const standIn of nodes.values()) standIn.fine();
    node('console').answer = ({ target }, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(target === '/internal/v1/ip-blocks' ? JSON.stringify({ networks: blocked }) : '{}');
    };
  });

  afterAll(async () => {
    await edge?.dispose();
    for (const standIn of nodes.values()) await standIn.kill();
    await consul?.stop();
  });

  describe('sends a request to the role that serves it', () => {
    const served: [string, string][] = [
      ['/api/v1/anchors', 'anchor'],
      ['/api/v1/anchors/7', 'anchor'],
      ['/api/v1/rooms/7/kicks/9', 'anchor'],
      ['/api/v1/tags?q=a', 'anchor'],
      ['/api/v1/viewers', 'audience'],
      ['/api/v1/viewers/7/portrait', 'audience'],
      [tips, 'audience'],
      ['/api/v1/tips/batch', 'audience'],
      ['/api/v1/tips/top-viewers?anchorId=7', 'audience'],
      ['/api/v1/finance/anchors/7/balance', 'finance'],
      ['/api/v1/analysis/hourly?from=a', 'analysis'],
      ['/api/v1/admin/overview', 'console'],
      ['/api/v1/mock/runs', 'mock'],
      ['/ws/rooms/7?token=x', 'room'],
    ];
    test.each(served)('%s: %s', async (path, role) => {
      for (const method of ['GET', 'POST', 'PATCH', 'PUT', 'DELETE']) {
        const answer = await edge.ask(method, path);
        expect({ method, status: answer.status, by: answer.headers['x-served-by'] }).toEqual({ method, status: 200, by: role });
      }
      expect(node(role).reached.filter(({ target }) => target === path)).toHaveLength(5);
    });

    test.each(['/api/v1/auth/login', '/docs', '/version', '/openapi.yaml', '/nowhere', '/api/v1/tipsy', '/'])('%s: any', async (path) => {
      expect((await edge.ask('GET', path)).headers['x-served-by']).toBeDefined();
    });

    test('with path, query and body as they were sent, for these are signed', async () => {
      const path = '/api/v1/tips/a%2Fb%20c/../?x=1&y=%E5%A5%BD&&z';
      await edge.ask('POST', path, { body: '{"amount":1}', headers: { 'x-tipflow-signature': 'v1=ab' } });
      const [reached] = node('audience').reached;
      expect(reached).toMatchObject({ method: 'POST', target: path, body: '{"amount":1}' });
      expect(reached?.headers['x-tipflow-signature']).toBe('v1=ab');
    });

    test('whatever the contract holds: no path of it is nobody\'s', async () => {
      const { paths } = parse(readText(openapiFile)) as { paths: Record<string, object> };
      const own = new Set(['/livez', '/readyz', '/metrics']);
      for (const path of Object.keys(paths).filter((each) => !own.has(each) && !each.startsWith('/internal/'))) {
        const answer = await edge.ask('GET', path.replaceAll(/\{[^}]*\}/g, '7'));
        expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      }
    });
  });

  describe('tells nodes', () => {
    const lastHeaders = async (headers: Record<string, string>) => {
      await edge.ask('POST', tips, { body: '{}', headers });
      return node('audience').reached.at(-1)?.headers ?? {};
    };

    test('where a request came from, and believes nobody else', async () => {
      const headers = await lastHeaders({ 'x-forwarded-for': '1.2.3.4', 'x-real-ip': '1.2.3.4', forwarded: 'for=1.2.3.4' });
      expect(headers['x-forwarded-for']).toBe('127.0.0.1');
      expect(headers['x-real-ip']).toBeUndefined();
      expect(headers['forwarded']).toBeUndefined();
    });

    test('nothing that only nodes may say', async () => {
      const headers = await lastHeaders({
        'x-tipflow-node': 'node-1',
        'x-tipflow-node-signature': 'n1=ab',
        'x-tipflow-deadline-ms': '1',
        upgrade: 'h2c',
      });
      for (const name of ['x-tipflow-node', 'x-tipflow-node-signature', 'x-tipflow-deadline-ms', 'upgrade']) {
        expect(headers[name], name).toBeUndefined();
      }
    });

    test('the trace of the caller', async () => {
      const parent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-00`;
      expect((await lastHeaders({ traceparent: parent }))['traceparent']).toBe(parent);
      const named = await lastHeaders({ 'x-trace-id': 'c3'.repeat(16) });
      expect(named['traceparent']).toMatch(new RegExp(`^00-${'c3'.repeat(16)}-[0-9a-f]{16}-01$`));
    });

    test('a new trace for each request that came without, or with none that is one', async () => {
      const seen = new Set<string>();
      for (const traceparent of ['', 'x', `00-${'0'.repeat(32)}-${'b2'.repeat(8)}-01`, `ff-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`]) {
        const headers = await lastHeaders(traceparent === '' ? {} : { traceparent });
        const [, trace = '', span = ''] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(headers['traceparent'] as string) ?? [];
        expect(trace).toMatch(hex32);
        expect(span).not.toMatch(/^0*$/);
        seen.add(trace);
      }
      expect(seen.size).toBe(4);
    });
  });

  describe('keeps from the outside', () => {
    test.each(['/internal/v1/ping', '/internal', '/INTERNAL/v1/ping', '/%69nternal/v1/ping', '//internal/v1/ping', '/x/../internal/v1/ping', '/metrics', '/Metrics', '/readyz', '/readyz/', '/livez/x'])(
      '%s',
      async (path) => {
        expectProblem(await edge.ask('GET', path), 404, 'route_not_found');
        expectProblem(await edge.ask('POST', path), 404, 'route_not_found');
        for (const standIn of nodes.values()) {
          expect(standIn.reached.filter(({ target }) => target === path)).toEqual([]);
        }
      },
    );
  });

  describe('answers itself', () => {
    test('in the words, shape and headers of a node', async () => {
      const real = await TipflowNode.start();
      try {
        for (const language of ['zh-CN,en;q=0.5', 'en-US,zh;q=0.5', 'fr']) {
          const headers = { 'accept-language': language, traceparent: `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-00` };
          const { status, json, headers: own } = await edge.ask('GET', '/internal/x', { headers });
          const other = await real.client().call('GET', '/internal/x', { headers });
          expect({ status, json }).toEqual({ status: other.status, json: other.body });
          const ignored = ['date', 'server', 'connection', 'content-length', 'keep-alive', 'content-type'];
          const shown = (all: object): object => Object.fromEntries(Object.entries(all).filter(([name]) => !ignored.includes(name)));
          expect(shown(own)).toEqual(shown(other.headers));
        }
      } finally {
        await real.dispose();
      }
    });

    test('a body that is too large, and lets a batch be larger', async () => {
      expect((await edge.ask('POST', tips, { body: 'a'.repeat(65_536) })).status).toBe(200);
      expectProblem(await edge.ask('POST', tips, { body: 'a'.repeat(65_537) }), 413, 'body_too_large');
      expect((await edge.ask('POST', `${tips}/batch`, { body: 'a'.repeat(1_048_576) })).status).toBe(200);
      expectProblem(await edge.ask('POST', `${tips}/batch`, { body: 'a'.repeat(1_048_577) }), 413, 'body_too_large');
    });

    test('what is no request', async () => {
      expectProblem(await edge.ask('GET', `/${'a'.repeat(9_000)}`), 400, 'invalid_request');
      expectProblem(await edge.ask('GET', tips, { headers: { cookie: 'a'.repeat(9_000) } }), 400, 'invalid_request');
      expectProblem(await edge.ask('TRACE', tips), 405, 'method_not_allowed');
    });

    test('too many requests of one address, while others go on', async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => edge.ask('GET', tips, { from: '127.0.0.3' })));
      const refused = answers.filter(({ status }) => status !== 200);
      expect(refused.length).toBeGreaterThanOrEqual(20);
      for (const answer of refused) expectProblem(answer, 429, 'too_many_requests');
      expect((await edge.ask('GET', tips, { from: '127.0.0.4' })).status).toBe(200);
      expect(new Set((await Promise.all(Array.from({ length: 60 }, () => edge.ask('GET', tips)))).map(({ status }) => status))).toEqual(
        new Set([200]),
      );
    });

    test('too many requests of one address that are under way', async () => {
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      node('audience').answer = (_request, response) => void gate.then(() => response.end());
      const slow = Array.from({ length: 3 }, () => edge.ask('POST', tips, { from: '127.0.0.5' }));
      await waitFor('three are under way', () => node('audience').reached.length === 3);
      expectProblem(await edge.ask('POST', tips, { from: '127.0.0.5' }), 429, 'too_many_requests');
      release();
      expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200]);
    });

    test('networks that the console blocks, until it does no more', async () => {
      blocked = ['127.0.0.8/29', '2001:db8::/32'];
      await waitFor('the block holds', async () => (await edge.ask('GET', tips, { from: '127.0.0.9' })).status === 403);
      expectProblem(await edge.ask('POST', tips, { from: '127.0.0.15' }), 403, 'address_blocked');
      expect((await edge.ask('POST', tips)).status).toBe(200);
      blocked = [];
      await waitFor('the block is gone', async () => (await edge.ask('GET', tips, { from: '127.0.0.9' })).status === 200);
    });
  });

  test('compresses no JSON, and adds no header that a node sends', async () => {
    node('audience').answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-frame-options': 'DENY', 'x-trace-id': 'a1'.repeat(16) });
      response.end(JSON.stringify({ text: 'a'.repeat(5_000) }));
    };
    const { headers } = await edge.ask('GET', tips, { headers: { 'accept-encoding': 'gzip' } });
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['x-trace-id']).toBe('a1'.repeat(16));
  });

  test('carries WebSockets', async () => {
    const socket = connect({ host: '127.0.0.1', port: edge.port });
    let received = '';
    socket.setEncoding('utf8').on('data', (text: string) => (received += text));
    try {
      socket.write('GET /ws/rooms/7?token=secret-word HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n');
      await waitFor('the upgrade is answered', () => received.startsWith('HTTP/1.1 101 '));
      socket.write('there and back');
      await waitFor('the echo is there', () => received.endsWith('there and back'));
      expect(node('room').reached.at(-1)).toMatchObject({ method: 'UPGRADE', target: '/ws/rooms/7?token=secret-word' });
      expect(node('room').reached.at(-1)?.headers['x-forwarded-for']).toBe('127.0.0.1');
    } finally {
      socket.destroy();
    }
  });

  test('ends a request whose header never ends, and a body that stops', async () => {
    const ends = (text: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const began = Date.now();
        const socket = connect({ host: '127.0.0.1', port: edge.port });
        socket.on('close', () => resolve(Date.now() - began)).on('error', () => undefined);
        socket.resume();
        socket.write(text);
        setTimeout(() => reject(new Error('still open after 15 s')), 15_000).unref();
      });
    const waits = await Promise.all([
      ends('GET /api/v1/tips HTTP/1.1\r\nHost: a\r\nX-Slow: '),
      ends('POST /api/v1/tips HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{'),
    ]);
    for (const waited of waits) expect(waited).toBeGreaterThan(5_000);
    expect(node('audience').reached, 'nothing of it reached a node').toEqual([]);
  });
});
