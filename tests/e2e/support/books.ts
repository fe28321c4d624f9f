// The record of a crowd compared with the databases themselves, past the binary under test: SQLite through Python's
// module, MariaDB through its own client.
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Crowd, type TipRecord, acknowledged, neverTaken, receiptOf } from './crowd.ts';
import { query } from './mariadb.ts';
import type { Tip } from './model.ts';
import type { TipflowNode } from './node.ts';
import { makeDirectory, removeDirectory, run } from './processes.ts';
import { earned, settledBooks, sumOf } from './stories.ts';
import { inParallel } from './wait.ts';

const longMs = 300_000;
const askedOneByOne = 500;

/** The rows that `sql` selects, each column as text. */
export async function readRows(url: string, sql: string): Promise<string[][]> {
  const text = url.startsWith('sqlite:') ? await askSqlite(url.slice(7), sql) : await askServer(url, sql);
  return text.split('\n').filter((line) => line !== '').map((line) => line.split('\t'));
}

async function askSqlite(file: string, sql: string): Promise<string> {
  const program = `import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(*row, sep="\\t")`;
  const { code, stdout, stderr } = await run('python3', ['-c', program, file, sql], { withinMs: longMs });
  if (code !== 0) throw new Error(`sqlite: ${stderr}`);
  return stdout;
}

async function askServer(url: string, sql: string): Promise<string> {
  const { username, password, hostname, port, pathname } = new URL(url);
  return query({ user: username, password, host: hostname, port: Number(port) }, `USE ${pathname.slice(1)};\n${sql}`, longMs);
}

interface Row {
  tipId: number;
  viewerId: number;
  roomId: number;
  anchorId: number;
  amount: number;
  giftId: number;
  count: number;
  acceptedAtUs: number;
  message: string;
}

/** Every row of `tip`, by traceId; a traceId with two rows breaks the test. */
async function tipRows(node: TipflowNode): Promise<Map<string, Row>> {
  const rows = await readRows(
    node.databases.db1,
    `SELECT LOWER(HEX(trace_id)), tip_id, viewer_id, room_id, anchor_id, amount, gift_id, gift_count, accepted_at,
     HEX(message) FROM tip`,
  );
  const byTrace = new Map<string, Row>();
  for (const [trace, tipId, viewerId, roomId, anchorId, amount, giftId, count, acceptedAtUs, message] of rows) {
    expect(byTrace.has(trace as string), `${trace} is there twice`).toBe(false);
    byTrace.set(trace as string, {
      tipId: Number(tipId),
      viewerId: Number(viewerId),
      roomId: Number(roomId),
      anchorId: Number(anchorId),
      amount: Number(amount),
      giftId: Number(giftId),
      count: Number(count),
      acceptedAtUs: Number(acceptedAtUs),
      message: Buffer.from(message ?? '', 'hex').toString('utf8'),
    });
  }
  return byTrace;
}

/**
 * The invariants I1 to I4 of the books, after all faults: the crowd has stopped, the node and its databases are up.
 * Asks again for what is unknown, so it changes what it looks at.
 */
export async function expectBooksToMatch(node: TipflowNode, crowd: Crowd): Promise<void> {
  answersAgree(crowd.records);
  expect(crowd.requests.filter(({ outcome }) => outcome === 'refused').slice(0, 3), 'no tip breaks a rule').toEqual([]);

  const before = await tipRows(node);
  const lost = crowd.records.filter((record) => receiptOf(record) !== undefined && !before.has(record.tip.traceId));
  expect(lost.slice(0, 3).map((record) => record.tip), `${lost.length} acknowledged tips are lost`).toEqual([]);
  const ghosts = crowd.records.filter((record) => neverTaken(record) && before.has(record.tip.traceId));
  expect(ghosts.slice(0, 3), `${ghosts.length} tips were refused as unavailable, and are there`).toEqual([]);

  await inParallel(
    crowd.records.filter((record) => receiptOf(record) === undefined),
    16,
    async (record) => {
      const { outcome, text } = await crowd.send(record);
      expect(outcome, `${record.tip.traceId}: ${text}`).toBe(before.has(record.tip.traceId) ? 'exists' : 'created');
    },
  );
  answersAgree(crowd.records);

  const after = await tipRows(node);
  expect(after.size, 'rows of tip').toBe(crowd.records.length);
  const wrong = crowd.records.filter((record) => !sameFields(record, after.get(record.tip.traceId)));
  expect(
    wrong.slice(0, 3).map((record) => [record, after.get(record.tip.traceId)]),
    `${wrong.length} rows differ from what was sent and answered`,
  ).toEqual([]);

  await expectApiToAgree(node, crowd);
  await expectSettled(node, crowd, after);
  await expectAuditToHold(node, crowd);
}

/** I3: the same tip, the same answer; it was made once; another amount is refused. */
function answersAgree(records: readonly TipRecord[]): void {
  const ids = new Set<number>();
  for (const { tip, requests } of records) {
    const receipts = requests.filter(acknowledged).map(({ receipt }) => receipt);
    const [first] = receipts;
    for (const receipt of receipts) {
      if (receipt?.tipId !== first?.tipId || receipt?.acceptedAt !== first?.acceptedAt) {
        expect(receipt, `${tip.traceId} was answered in two ways`).toEqual(first);
      }
    }
    const created = requests.filter(({ outcome }) => outcome === 'created').length;
    if (created > 1) expect(created, `${tip.traceId} was made`).toBe(1);
    for (const { amount, outcome } of requests) {
      const changed = amount !== tip.amount;
      const wrong = changed ? outcome === 'created' || outcome === 'exists' : outcome === 'conflict';
      if (wrong) expect(outcome, `${tip.traceId} with ${amount} instead of ${tip.amount}`).toBe(changed ? 'conflict' : 'created');
    }
    if (first !== undefined) {
      if (ids.has(first.tipId)) expect(first.tipId, `${tip.traceId} has the id of another tip`).toBe(0);
      ids.add(first.tipId);
    }
  }
}

function sameFields({ tip, viewer, anchorId, requests }: TipRecord, row: Row | undefined): boolean {
  const receipt = requests.find(acknowledged)?.receipt;
  return (
    row !== undefined &&
    receipt !== undefined &&
    row.tipId === receipt.tipId &&
    row.viewerId === viewer.viewer.id &&
    row.roomId === tip.roomId &&
    row.anchorId === anchorId &&
    row.amount === tip.amount &&
    row.giftId === tip.giftId &&
    row.count === tip.count &&
    row.message === tip.message &&
    Math.floor(row.acceptedAtUs / 1_000) === Date.parse(receipt.acceptedAt)
  );
}

/** What the API answers about tips, for a sample of them. */
async function expectApiToAgree(node: TipflowNode, crowd: Crowd): Promise<void> {
  const admin = await node.asAdmin();
  const step = Math.max(1, Math.floor(crowd.records.length / askedOneByOne));
  const sample = crowd.records.filter((_, index) => index % step === 0);
  await inParallel(sample, 8, async (record) => {
    const { anchorName: _anchor, viewerName: _viewer, ...shown }: Tip = await admin.tip(record.tip.traceId);
    const { tipId, acceptedAt } = receiptOf(record) ?? {};
    const message = record.tip.message === '' ? null : record.tip.message;
    expect(shown).toEqual({ ...record.tip, message, viewerId: record.viewer.viewer.id, anchorId: record.anchorId, tipId, acceptedAt });
  });
}

/** I4: the ledger has each tip once, by DB2 itself; balances are the clients' own sums. */
async function expectSettled(node: TipflowNode, crowd: Crowd, rows: ReadonlyMap<string, Row>): Promise<void> {
  const books = await settledBooks(await node.asAdmin(), { withinMs: 120_000 });
  const own = { count: crowd.records.length, amount: sumOf(crowd.records.map((record) => record.tip)) };
  expect(books.tips).toEqual(own);
  expect(books.ledger).toEqual(own);

  const ledger = await readRows(node.databases.db2, 'SELECT tip_id, anchor_id, viewer_id, amount FROM ledger');
  const byId = new Map(ledger.map(([tipId, ...rest]) => [Number(tipId), rest.map(Number)] as const));
  expect(byId.size, 'ledger rows').toBe(rows.size);
  const wrong = [...rows.values()].filter(({ tipId, anchorId, viewerId, amount }) => {
    const settled = byId.get(tipId);
    return settled?.[0] !== anchorId || settled[1] !== viewerId || settled[2] !== amount;
  });
  expect(wrong.slice(0, 3), `${wrong.length} ledger rows differ from their tips`).toEqual([]);

  for (const host of crowd.anchors) {
    const given = crowd.records.map(({ tip }) => tip).filter(({ roomId }) => roomId === host.roomId);
    const admin = await node.asAdmin();
    expect((await admin.balance(host.anchor.id)).settled).toBe(earned(given, host.shareBp));
  }
}

/** The product's own auditor; with the crowd's record when it reads one. */
async function expectAuditToHold(node: TipflowNode, crowd: Crowd): Promise<void> {
  const directory = makeDirectory('record');
  const file = join(directory, 'record.jsonl');
  crowd.writeRecord(file);
  const help = await node.command('audit', '--help');
  const args = help.stdout.includes('--record') ? ['--record', file] : [];
  const audit = await node.audit(args, longMs);
  expect(audit.code, audit.output).toBe(0);
  removeDirectory(directory);
}
