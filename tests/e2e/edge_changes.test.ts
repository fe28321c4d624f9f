// The edge while nodes come, go and die: what is sent again and what is not, what a change disturbs, what outlives what.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Edge, showEdgeOnFailure } from './support/edge.ts';
import { FakeConsul, StandIn } from './support/standins.ts';
import { inParallel, waitFor } from './support/wait.ts';

const tips = '/api/v1/tips';

describe('an edge in front of two nodes', () => {
  let consul: FakeConsul;
  let edge: Edge;
  let first: StandIn;
  let second: StandIn;
  const reached = (): number => first.reached.length + second.reached.length;
  showEdgeOnFailure(() => edge);

  const bothServe = async (): Promise<void> => {
    first.fine();
    second.fine();
    consul.set('audience', [first, second]);
    await waitFor('both nodes serve', async () => {
      if (![first, second].every(({ port }) => edge.configuration().includes(`server 127.0.0.1:${port} `))) return false;
      // Workers of before a reload listen a moment longer.
      if (edge.workerPids().length > availableParallelism()) return false;
      await Promise.all([edge.ask('GET', tips), edge.ask('GET', tips)]);
      return first.reached.length > 0 && second.reached.length > 0;
    });
    first.fine();
    second.fine();
  };

  beforeAll(async () => {
    consul = await FakeConsul.start();
    first = await StandIn.start('first');
    second = await StandIn.start('second');
    edge = await Edge.start(consul.url);
  });

  beforeEach(async () => bothServe());

  afterAll(async () => {
    await edge?.dispose();
    await first?.kill();
    await second?.kill();
    await consul?.stop();
  });

  describe('of which one is dead', () => {
    beforeEach(async () => first.kill());
    afterEach(async () => {
      await first.revive();
      // It is tried again 3 s after it failed.
      await waitFor('it serves again', async () => {
        await Promise.all([edge.ask('GET', tips), edge.ask('GET', tips)]);
        return first.reached.length > 0;
      });
    });

    test.each(['PUT', 'DELETE'])('answers %s from the other, or says that nothing was written', async (method) => {
      const answers = await inParallel(Array.from({ length: 30 }), 1, () => edge.ask(method, tips, { body: '{}' }));
      for (const { status, json } of answers) expect([200, json['code']]).toContain(status === 503 ? 'unavailable' : status);
      expect(answers.slice(-20).map(({ status }) => status), 'a dead node is soon left alone').toEqual(new Array(20).fill(200));
    });

    test.each(['GET', 'POST', 'PATCH'])('answers every %s from the other', async (method) => {
      const answers = await inParallel(Array.from({ length: 60 }), 6, () => edge.ask(method, tips, { body: method === 'GET' ? '' : '{}' }));
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      expect(second.reached.length).toBe(60);
    });
  });

  test('spreads requests over both', async () => {
    await inParallel(Array.from({ length: 40 }), 4, () => edge.ask('POST', tips, { body: '{}' }));
    for (const node of [first, second]) expect(node.reached.length).toBeGreaterThanOrEqual(10);
  });

  test('prefers the node that answers to the one that is stuck', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    first.answer = (_request, response) => void gate.then(() => response.end());
    const all = inParallel(Array.from({ length: 60 }), 4, () => edge.ask('POST', tips, { body: '{}' }));
    await waitFor('the other has answered the rest', () => second.reached.length >= 50);
    release();
    expect((await all).every(({ status }) => status === 200)).toBe(true);
    expect(first.reached.length).toBeLessThanOrEqual(10);
  });

  describe('that break the connection when a request is there', () => {
    beforeEach(() => {
      for (const node of [first, second]) node.answer = (_request, _response, socket) => socket.destroy();
    });

    test.each(['POST', 'PATCH', 'PUT', 'DELETE'])('sends no %s twice, and says that its outcome is unknown', async (method) => {
      const answer = await edge.ask(method, tips, { body: '{"amount":1}' });
      expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status: 504, code: 'outcome_unknown' });
      expect(answer.headers['retry-after']).toBeUndefined();
      expect(reached()).toBe(1);
    });

    test('asks the other one too for what is only read', async () => {
      const answer = await edge.ask('GET', tips);
      expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status: 503, code: 'unavailable' });
      expect([first.reached.length, second.reached.length]).toEqual([1, 1]);
    });

    test('answers what is only read when one of them is well', async () => {
      second.fine();
      const answers = await inParallel(Array.from({ length: 20 }), 1, () => edge.ask('GET', tips));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    });
  });

  test('hands an answer on as it is, a refusal for now included', async () => {
    for (const node of [first, second]) {
      node.answer = (_request, response) => {
        response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '7' });
        response.end('{"code":"overloaded"}');
      };
    }
    const answer = await edge.ask('POST', tips, { body: '{}' });
    expect(answer).toMatchObject({ status: 503, text: '{"code":"overloaded"}' });
    expect(answer.headers['retry-after']).toBe('7');
    expect(reached(), 'a refusal is no reason to ask elsewhere').toBe(1);
  });

  test('says at once that nothing was written when nobody listens', async () => {
    await Promise.all([first.kill(), second.kill()]);
    try {
      const answer = await edge.ask('POST', tips, { body: '{}' });
      expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status: 503, code: 'unavailable' });
      expect(answer.headers['retry-after']).toBe('1');
    } finally {
      await Promise.all([first.revive(), second.revive()]);
    }
  });

  test('says that nobody serves a role that no node has', async () => {
    const answer = await edge.ask('GET', '/api/v1/finance/reconciliation');
    expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status: 503, code: 'role_unavailable' });
  });

  test('sends to a third node within 5 s of its coming, and not after its going, without an error', async () => {
    const third = await StandIn.start('third');
    let stop = false;
    const statuses: number[] = [];
    const traffic = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!stop) statuses.push((await edge.ask('POST', tips, { body: '{}' })).status);
      }),
    );
    try {
      consul.set('audience', [first, second, third]);
      await waitFor('the third node is sent to', () => third.reached.length > 0, { withinMs: 5_000 });
      consul.set('audience', [first, second]);
      await waitFor('it is left out', () => !edge.configuration().includes(`:${third.port} `), { withinMs: 5_000 });
      // Workers of before the reload finish what they have.
      const seen = async (): Promise<number> => {
        const before = third.reached.length;
        const target = statuses.length + 40;
        await waitFor('more was asked', () => statuses.length >= target);
        return third.reached.length - before;
      };
      await waitFor('nothing reaches it any more', async () => (await seen()) === 0);
    } finally {
      stop = true;
      await traffic;
      await third.kill();
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('answers requests that were under way when nginx took over a change', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    for (const node of [first, second]) node.answer = (_request, response) => void gate.then(() => response.end('late'));
    const slow = Array.from({ length: 8 }, () => edge.ask('POST', tips, { body: '{}' }));
    await waitFor('they are with the nodes', () => reached() === 8);
    const workers = edge.workerPids();
    consul.set('audience', [first]);
    await waitFor('new workers are there', () => edge.workerPids().some((pid) => !workers.includes(pid)));
    release();
    expect((await Promise.all(slow)).map(({ text }) => text)).toEqual(Array.from({ length: 8 }, () => 'late'));
  });

  test('leaves nginx alone while nothing changes, whatever Consul repeats', async () => {
    const workers = edge.workerPids();
    const configured = edge.configuredAt();
    for (let i = 0; i < 5; ++i) {
      consul.set('audience', [second, first]);
      await pause(200);
    }
    expect(edge.workerPids().filter((pid) => !workers.includes(pid))).toEqual([]);
    expect(edge.configuredAt()).toBe(configured);
  });

  test('keeps the nodes it knows when Consul knows none, and when Consul is gone', async () => {
    consul.set('audience', []);
    consul.set('anchor', [first]);
    await waitFor('later news has arrived', () => edge.configuration().includes('upstream anchor {'));
    await inParallel(Array.from({ length: 10 }), 2, () => edge.ask('POST', tips, { body: '{}' }));
    expect(reached()).toBe(10);
  });

  test('keeps its configuration when nginx refuses a new one, and says why', async () => {
    const configured = edge.configuration();
    consul.set('audience', [first, second, { name: 'nobody', port: 80, address: 'no-such-host.invalid' }]);
    await waitFor('the refusal is logged', () => edge.log().includes('nginx refused'));
    expect(edge.log()).toContain('no-such-host.invalid');
    expect(edge.configuration()).toBe(configured);
    expect((await edge.ask('POST', tips, { body: '{}' })).status).toBe(200);
  });

  test('logs which node came and which went', async () => {
    consul.set('audience', [first]);
    await waitFor('it is logged', () => edge.log().includes(`audience: -second at 127.0.0.1:${second.port}`));
  });

  test('starts nginx again when it was killed, workers left behind or not', async () => {
    const killed = edge.masterPid() as number;
    process.kill(killed, 'SIGKILL');
    await waitFor('another nginx runs', () => ![undefined, killed].includes(edge.masterPid()), { withinMs: 15_000 });
    await waitFor('it answers', async () => (await edge.ask('POST', tips, { body: '{}' })).status === 200);
  });

  test('goes on when its agent is killed, and the next agent takes over the same nginx', async () => {
    const master = edge.masterPid();
    const workers = edge.workerPids();
    await edge.killAgent();
    expect((await edge.ask('POST', tips, { body: '{}' })).status).toBe(200);
    await edge.launch();
    await pause(1_000);
    expect(edge.masterPid()).toBe(master);
    expect(edge.workerPids().filter((pid) => !workers.includes(pid)), 'nothing changed, so nothing was reloaded').toEqual([]);
    consul.set('audience', [second]);
    await waitFor('it takes over changes', () => edge.workerPids().some((pid) => !workers.includes(pid)));
  });

  test('leaves with its nginx at SIGTERM, and ends with 0', async () => {
    expect(await edge.stop()).toBe(0);
    expect(edge.masterPid()).toBeUndefined();
    await expect(edge.ask('GET', '/livez')).rejects.toThrow('ECONNREFUSED');
    await edge.launch();
  });
});

test('an edge without what it needs says so and ends', async () => {
  await expect(Edge.start('')).rejects.toThrow(/exit 2[^]*consul\.url/);
  await expect(Edge.start('http://127.0.0.1:9', { TIPFLOW_CLUSTER_KEY: '' })).rejects.toThrow(/exit 2[^]*cluster\.key/);
  await expect(Edge.start('http://127.0.0.1:9', { TIPFLOW_EDGE_NGINX: 'no-such-nginx' })).rejects.toThrow(/exit 2[^]*no-such-nginx/);
});
