// What a node measures, as a real Prometheus sees it; the rules, the dashboard and the page of metrics name what there is.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { TipflowNode, showOutputOnFailure } from './support/node.ts';
import { readText, repository } from './support/paths.ts';
import { Process, freePort, makeDirectory, removeDirectory, run } from './support/processes.ts';
import { anchorWithBalance, guest, newTip } from './support/stories.ts';
import { newTraceId } from './support/ids.ts';
import { waitFor, waitUntil } from './support/wait.ts';

const deploy = join(repository, 'deploy');
const rulesFile = join(deploy, 'prometheus/rules.yml');
const configFile = join(deploy, 'prometheus/prometheus.yml');

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}
const rules = (parse(readText(rulesFile)) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

interface Panel {
  title: string;
  targets?: { expr: string }[];
}
interface Dashboard {
  panels: Panel[];
  templating: { list: { name: string; definition?: string }[] };
}
const dashboard = JSON.parse(readText(join(deploy, 'grafana/tipflow.json'))) as Dashboard;
const expressions = dashboard.panels.flatMap(({ title, targets }) =>
  (targets ?? []).map(({ expr }) => ({ title, expr: withoutVariables(expr) })),
);

function withoutVariables(expr: string): string {
  return expr.replaceAll('$node', '.*').replaceAll('$__rate_interval', '1m');
}

/** The metrics that an expression names. */
const metricsIn = (expr: string): string[] => expr.match(/\b(?:tipflow|process)_[a-z0-9_]+\b|\bup\b/g) ?? [];

interface Family {
  type: string;
  labels: string;
}

/** What a node shows: each metric with its type and the names of its labels. */
function familiesOf(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let name = '';
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) {
      name = type[1] as string;
      families.set(name, { type: type[2] as string, labels: '' });
    } else if (line !== '' && !line.startsWith('#')) {
      const labels = [...(/\{(.*)\}/.exec(line)?.[1] ?? '').matchAll(/([a-z_]+)="/g)].map((found) => found[1] as string);
      const family = families.get(name) as Family;
      family.labels = labels.filter((label) => label !== 'le').toSorted().join(', ');
    }
  }
  return families;
}

/** What the page of metrics says of them: `| name | type | labels | meaning |`. A node on its own has none of a cluster's. */
function documented(): Map<string, Family> {
  const [page] = readText(join(repository, 'docs/operations/metrics.md')).split('## In a cluster') as [string];
  const rows = [...page.matchAll(/^\| `([a-z0-9_]+)` \| (\w+) \| ([^|]*) \| [^|]+ \|$/gm)];
  return new Map(
    rows.map(([, name, type, labels]) => [
      name as string,
      { type: type as string, labels: [...(labels as string).matchAll(/`(\w+)`/g)].map((each) => each[1]).toSorted().join(', ') },
    ]),
  );
}

describe('Prometheus', () => {
  let node: TipflowNode;
  let directory: string;
  let server: Process;
  let port: number;
  showOutputOnFailure(() => node);

  const metrics = async (): Promise<string> => (await node.client().call('GET', '/metrics')).bytes.toString('utf8');
  const ask = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const body = (await answer.json()) as { status: string; data: T; error?: string };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  };
  const query = async (expr: string): Promise<{ result: unknown[] }> => ask(`query?query=${encodeURIComponent(expr)}`);

  beforeAll(async () => {
    node = await TipflowNode.start({ env: { TIPFLOW_ALERTS_RECONCILE_SECONDS: '1', TIPFLOW_ALERTS_WEBHOOK_URL: 'http://127.0.0.1:9/' } });
    const host = await anchorWithBalance(node, 1_000);
    const fan = await guest(node);
    await fan.client.sendTip(newTip(host.roomId, 100));
    await host.client.withdraw(host.anchor.id, { traceId: newTraceId(), amount: 1 });
    await node.client().call('GET', '/nothing/here');

    directory = makeDirectory('prometheus');
    port = await freePort();
    const config = parse(readText(configFile)) as {
      global: Record<string, string>;
      rule_files: string[];
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    config.global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
    config.rule_files = [rulesFile];
    for (const job of config.scrape_configs) job.static_configs = [{ targets: [`127.0.0.1:${node.port}`] }];
    writeFileSync(join(directory, 'prometheus.yml'), stringify(config));
    server = Process.start(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { cwd: directory, logFile: join(directory, 'prometheus.log') },
    );
    await waitFor('Prometheus is ready', async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok);
    await waitUntil('two scrapes', () => query('sum_over_time(up[1m])'), ({ result }) => {
      const [first] = result as { value: [number, string] }[];
      return Number(first?.value[1]) >= 2;
    });
  });

  afterAll(async () => {
    await server?.end('SIGTERM', 20_000);
    await node?.dispose();
    if (directory !== undefined) removeDirectory(directory);
  });

  test('finds nothing to say against what the node shows', async () => {
    const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: await metrics() });
    expect({ code, said: stdout + stderr }).toEqual({ code: 0, said: '' });
  });

  test.each([
    ['rules', rulesFile],
    ['config', configFile],
  ])('takes our %s', async (what, file) => {
    const { code, stdout, stderr } = await run('promtool', ['check', what, file]);
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  });

  test('scrapes the node without an error or a warning', async () => {
    const { activeTargets } = await ask<{ activeTargets: { health: string; lastError: string }[] }>('targets');
    expect(activeTargets).toMatchObject([{ health: 'up', lastError: '' }]);
    expect(server.output(1_000_000)).not.toMatch(/level=(warn|error)/);
  });

  test('evaluates every rule, and none of them complains of a node that is well', async () => {
    const evaluated = await waitUntil(
      'the rules are evaluated',
      () => ask<{ groups: { rules: { name: string; health: string; lastError?: string; state: string }[] }[] }>('rules'),
      ({ groups }) => groups.every((group) => group.rules.every((rule) => rule.health !== 'unknown')),
    );
    const all = evaluated.groups.flatMap((group) => group.rules);
    expect(all.map((rule) => rule.name)).toEqual(rules.map((rule) => rule.alert));
    for (const rule of all) expect(rule, rule.name).toMatchObject({ health: 'ok' });
    expect(all.filter((rule) => rule.state === 'firing')).toEqual([]);
  });

  test('knows every metric that a rule or the dashboard names', async () => {
    const known = new Set(await ask<string[]>('label/__name__/values'));
    const named = [...rules.map((rule) => rule.expr), ...expressions.map(({ expr }) => expr)].flatMap(metricsIn);
    expect(named.length).toBeGreaterThan(50);
    expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
  });

  test.each(expressions)('can draw "$title": $expr', async ({ expr }) => {
    await expect(query(expr)).resolves.toBeDefined();
  });

  test('finds the nodes to choose among', async () => {
    const variable = dashboard.templating.list.find(({ name }) => name === 'node');
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(variable?.definition ?? '') ?? [];
    expect(await ask(`label/${label}/values?match[]=${metric}`)).toEqual([`127.0.0.1:${node.port}`]);
  });

  test('is told of each rule what it is, how bad it is, and what to do', () => {
    const runbook = readText(join(repository, 'docs/operations/runbook.md'));
    const places = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title]) => (title as string).toLowerCase().replaceAll(' ', '-'));
    for (const { alert, labels, annotations } of rules) {
      expect(['warning', 'critical'], alert).toContain(labels.severity);
      expect(annotations.summary, alert).toMatch(/\S/);
      const [page, place] = annotations.runbook.split('#');
      expect(page, alert).toBe('docs/operations/runbook.md');
      expect(places, alert).toContain(place);
    }
  });

  test('reads of each metric what the page says, and the page leaves out none', async () => {
    const shown = familiesOf(await metrics());
    expect(Object.fromEntries([...shown].toSorted())).toEqual(Object.fromEntries([...documented()].toSorted()));
  });

  test('sees no metric whose labels grow with viewers, rooms or tips', async () => {
    const seriesOf = async (): Promise<string[]> =>
      (await metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.replace(/ \S+$/, ''));
    const before = await seriesOf();
    const host = await anchorWithBalance(node, 100);
    for (let i = 0; i < 3; ++i) await (await guest(node)).client.sendTip(newTip(host.roomId, 1));
    expect(await seriesOf()).toEqual(before);
  });
});

test('the files for Prometheus and Grafana are all named in their README', () => {
  const readme = readText(join(deploy, 'README.md'));
  for (const folder of ['prometheus', 'grafana']) {
    for (const file of readdirSync(join(deploy, folder))) expect(readme).toContain(`](${folder}/${file})`);
  }
});
