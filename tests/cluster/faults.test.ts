// Every fault that the cluster must survive, while `tipflow load` and viewers of our own tip through the edge: nothing
// acknowledged is lost, nothing is there twice, the books match, and it is soon over. Prints a table of what each came to.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { Client } from '../e2e/support/client.ts';
import { readRows } from '../e2e/support/books.ts';
import { makeDirectory, removeDirectory } from '../e2e/support/processes.ts';
import { settledBooks } from '../e2e/support/stories.ts';
import { waitFor } from '../e2e/support/wait.ts';
import type { Cluster, ClusterState, Databases } from './support/cluster.ts';
import { ClusterNode } from './support/cluster_node.ts';
import { type Figures, longestGap, recovery, table } from './support/figures.ts';
import { Load, type LoadOutcome } from './support/load.ts';
import { Prober } from './support/prober.ts';
import { Stolen } from './support/stolen.ts';

const perSecond = 300;
const probesPerSecond = 5; // of each of eight viewers
const calmSeconds = 6; // before a fault
const afterSeconds = 14; // of its end
const leaseSeconds = 10; // audience.lane_lease_seconds

/** Of the requests in a fault that leaves one node of each role, this part may be answered other than by success. */
const failuresMost = 0.001;
const recoveredWithinMs = 10_000;
/** Connections to a node of Galera that nobody uses: looks whether it is well, and our own. */
const checksAtOnce = 6;
/** The edge sends to a new node so soon. */
const sentToWithinMs = 5_000;

/** A second in which the host kept more than this of the processors says nothing of the cluster: the fault happens again. */
const stolenMost = 0.2;
const againMost = 2;

interface Fault {
  name: string;
  /** How long it lasts, roughly: the load goes on for so long, and longer. */
  seconds: number;
  /** Breaks it, and resolves when it is whole again. */
  happen: (cluster: Cluster, state: ClusterState) => Promise<void>;
  /** False where a fault leaves no node of a role that tips need. */
  leavesOne?: boolean;
}

const killAndStart = (...names: string[]): Fault['happen'] => async (cluster) => {
  for (const name of names) await cluster.command('kill', name);
  await pause(2_000);
  for (const name of names) await cluster.command('start', name);
};

/** Stops a process in its tracks for so long. */
const freeze = (name: string, seconds: number): Fault['happen'] => async (cluster) => {
  const pid = await cluster.pid(name);
  process.kill(pid, 'SIGSTOP');
  try {
    await pause(seconds * 1_000);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
};

const reloadNginx: Fault['happen'] = async (cluster) => {
  const { nginxPid } = await cluster.part('edge');
  for (let i = 0; i < 5; ++i) {
    process.kill(nginxPid as number, 'SIGHUP');
    await pause(1_000);
  }
};

const stopFor = (name: string, seconds: number): Fault['happen'] => async (cluster) => {
  await cluster.command('stop', name);
  await pause(seconds * 1_000);
  await cluster.command('start', name);
};

const joinAndLeave: Fault['happen'] = async (cluster) => {
  const name = (await cluster.command('add', 'audience')).trim();
  const { port } = await cluster.part(name);
  const node = new Client(`http://127.0.0.1:${port}`);
  await waitFor(
    'the edge sends tips to the new node',
    async () => /^tipflow_tips_total\{[^}]*outcome="created"[^}]*\} [1-9]/m.test((await node.call('GET', '/metrics')).bytes.toString()),
    { withinMs: sentToWithinMs },
  );
  await pause(3_000);
  await cluster.command('remove', name);
  node.close();
};

const twice = ['finance', 'analysis', 'room', 'console'];

/** The node of Galera that everybody is sent to, or the first of the others. */
async function galeraNode(cluster: Cluster, inUse: boolean): Promise<string> {
  const { sendsTo } = await cluster.part('databases');
  if (typeof sendsTo !== 'string') throw new Error('the endpoint sends to no node');
  const nodes = (await cluster.state()).parts.filter(({ kind }) => kind === 'Galera').map(({ name }) => name);
  return nodes.find((name) => (name === sendsTo) === inUse) as string;
}

/** Row locks hold for the transactions of one node: nobody may be connected to another than the one that new ones are sent to. */
async function expectOneInUse(node: ClusterNode): Promise<void> {
  const { parts } = await node.cluster.state();
  const inUse: string[] = [];
  for (const { name, kind, port } of parts) {
    if (kind !== 'Galera') continue;
    const url = new URL(node.databases.db1);
    url.port = String(port);
    const [[, connected]] = (await readRows(url.href, "SHOW GLOBAL STATUS LIKE 'Threads_connected'")) as [[string, string]];
    if (Number(connected) > checksAtOnce) inUse.push(name);
  }
  expect(inUse).toEqual([await galeraNode(node.cluster, true)]);
}

/** Moving to another node leaves none for as long as it takes. */
const galeraFaults: Fault[] = [
  {
    name: 'the node of Galera in use is killed, comes back',
    seconds: 15,
    happen: async (cluster, state) => killAndStart(await galeraNode(cluster, true))(cluster, state),
    leavesOne: false,
  },
  {
    name: 'another node of Galera is killed, comes back',
    seconds: 15,
    happen: async (cluster, state) => killAndStart(await galeraNode(cluster, false))(cluster, state),
  },
  {
    name: 'the node of Galera in use freezes',
    seconds: 11,
    happen: async (cluster, state) => freeze(await galeraNode(cluster, true), 10)(cluster, state),
    leavesOne: false,
  },
];

/** `restartSeconds`: what a restart of such a server takes. */
const replicatedFaults = (restartSeconds: number): Fault[] => [
  { name: 'DB1 restarts', seconds: restartSeconds, happen: stopFor('db1', 0), leavesOne: false },
  { name: 'DB2 restarts', seconds: restartSeconds, happen: stopFor('db2', 0) },
  { name: 'a replica is stopped', seconds: 10, happen: stopFor('db1-replica', 5) },
];

const databaseFaults: Record<Databases, Fault[]> = { replicated: replicatedFaults(6), galera: galeraFaults, mysql: replicatedFaults(15) };

/** The faults of a cluster with these roles and databases. */
function faultsOf(roles: ReadonlySet<string>, databases: Databases): Fault[] {
  const killed = [...roles].map((role): Fault => ({ name: `kill -9 of a node of ${role}`, seconds: 7, happen: killAndStart(`${role}-1`) }));
  const both = twice.filter((role) => roles.has(role)).map(
    (role): Fault => ({ name: `kill -9 of both nodes of ${role}`, seconds: 9, happen: killAndStart(`${role}-1`, `${role}-2`) }),
  );
  return [
    ...killed,
    ...both,
    { name: 'a node joins and leaves', seconds: 10, happen: joinAndLeave },
    { name: 'every node restarts, one by one', seconds: 6 * 2 * roles.size, happen: async (cluster) => void (await cluster.command('rolling-restart')) },
    { name: 'Redis is killed, restarts empty', seconds: 5, happen: killAndStart('redis') },
    { name: 'Consul is stopped for a minute', seconds: 65, happen: stopFor('consul', 60) },
    { name: 'nginx reloads five times', seconds: 6, happen: reloadNginx },
    { name: "the edge's agent is killed", seconds: 6, happen: killAndStart('edge') },
    ...databaseFaults[databases],
    { name: 'a node of audience freezes', seconds: leaseSeconds + 6, happen: freeze('audience-1', leaseSeconds + 5) },
    { name: 'a node of finance freezes', seconds: leaseSeconds + 6, happen: freeze('finance-1', leaseSeconds + 5) },
  ];
}

const failuresIn = ({ requests }: Figures): number => requests * failuresMost;
const isGood = ({ seconds, leavesOne = true }: Fault, came: Figures): boolean =>
  came.requests > perSecond * seconds && came.recoveredMs <= recoveredWithinMs && (!leavesOne || came.failures <= failuresIn(came));

describe('under traffic', () => {
  let node: ClusterNode;
  let state: ClusterState;
  let directory: string;
  const figures: Figures[] = [];
  const outcomes: LoadOutcome[] = [];
  const probers: Prober[] = [];

  beforeAll(async () => {
    node = await ClusterNode.find();
    state = await node.cluster.state();
    directory = makeDirectory('faults');
  });

  afterAll(() => {
    console.log(`\n${table(figures)}\n`);
    if (directory !== undefined) removeDirectory(directory);
  });

  async function endure(fault: Fault): Promise<Figures> {
    await node.cluster.untilHealthy();
    const prober = await Prober.gather(node);
    probers.push(prober);
    const load = Load.start({
      url: node.baseUrl,
      directory,
      name: `${fault.name.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${outcomes.length}`,
      perSecond,
      seconds: calmSeconds + fault.seconds + afterSeconds,
    });
    prober.start(probesPerSecond);
    await waitFor('the load has begun', () => load.running && prober.tips.length > 20);
    const stolen = new Stolen();
    await pause(calmSeconds * 1_000);
    const brokenAt = Date.now();
    await fault.happen(node.cluster, state);
    const mendedAt = Date.now();
    const outcome = await load.outcome();
    await prober.stop();
    outcomes.push(outcome);
    if (inject('clusterDatabases') === 'galera') await expectOneInUse(node);
    return {
      fault: fault.name,
      requests: outcome.requests + prober.requests.length,
      failures: outcome.errors + prober.requests.filter(({ fine, stale }) => !fine && !stale).length,
      sentAgain: outcome.stale + prober.requests.filter(({ stale }) => stale).length,
      longestGapMs: longestGap(prober.requests, brokenAt, Date.now()),
      recoveredMs: recovery(outcome.seconds, brokenAt, mendedAt),
      stolen: stolen.stop(),
    };
  }

  async function tell(fault: Fault): Promise<Figures> {
    const came = await endure(fault);
    figures.push(came);
    console.log(table([came]));
    return came;
  }

  test.each(faultsOf(new Set(inject('clusterRoles')), inject('clusterDatabases')))('$name', async (fault) => {
    let came = await tell(fault);
    for (let again = 0; again < againMost && came.stolen > stolenMost && !isGood(fault, came); ++again) {
      came = await tell(fault);
    }
    expect(came.requests).toBeGreaterThan(perSecond * fault.seconds);
    expect(came.recoveredMs, 'time until answers were as fast as before').toBeLessThanOrEqual(recoveredWithinMs);
    if (fault.leavesOne ?? true) expect(came.failures, `of ${came.requests} requests`).toBeLessThanOrEqual(failuresIn(came));
  });

  test('nothing that was acknowledged is lost, and nothing is there twice', async () => {
    await node.cluster.untilHealthy();
    const rows = await readRows(node.databases.db1, 'SELECT LOWER(HEX(trace_id)), tip_id, viewer_id, room_id, amount FROM tip');
    const byTrace = new Map(rows.map(([trace, ...rest]) => [trace as string, rest.map(Number)]));
    expect(byTrace.size, 'a traceId has one row').toBe(rows.length);
    const tips = probers.flatMap((prober) => prober.tips);
    expect(tips.length).toBeGreaterThan(100 * probers.length);
    const wrong = tips.filter(({ tip, viewerId, tipId, made }) => {
      const row = byTrace.get(tip.traceId.replaceAll('-', ''));
      return made > 1 || tipId === undefined || row?.join() !== [tipId, viewerId, tip.roomId, tip.amount].join();
    });
    expect(wrong.slice(0, 3), `${wrong.length} of ${tips.length} tips are not there as they were answered`).toEqual([]);
  });

  test('what tipflow load was told agrees with the books, and the books match', async () => {
    await settledBooks(await node.asAdmin(), { withinMs: 120_000 });
    for (const { recordFile } of outcomes) {
      const audit = await node.audit(['--record', recordFile], 120_000);
      expect(audit.code, audit.output).toBe(0);
    }
  });
});
