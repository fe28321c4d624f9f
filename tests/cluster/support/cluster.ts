// The cluster under test: made, looked at and broken by the program behind ./dev cluster.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { binary, repository } from '../../e2e/support/paths.ts';
import { run } from '../../e2e/support/processes.ts';
import { waitFor } from '../../e2e/support/wait.ts';

export interface PartState {
  name: string;
  /** A role, or what server it is. */
  kind: string;
  pid: number | null;
  port: number;
  healthy: boolean;
  state: string;
  nginxPid?: number | null;
  /** Of the endpoint before nodes of Galera: the node that everybody is sent to. */
  sendsTo?: string | null;
}

/** What ./dev cluster up can be given as databases. */
export const databaseKinds = ['replicated', 'galera', 'mysql'] as const;
export type Databases = (typeof databaseKinds)[number];

export function databasesToTest(): Databases {
  const wanted = process.env['TIPFLOW_CLUSTER_DATABASES'] ?? 'replicated';
  const found = databaseKinds.find((kind) => kind === wanted);
  if (found === undefined) throw new Error(`TIPFLOW_CLUSTER_DATABASES: ${wanted} (known: ${databaseKinds.join(', ')})`);
  return found;
}

export interface ClusterState {
  edge: string;
  directory: string;
  /** The settings of its nodes, with the database account of the auditor. */
  environment: Record<string, string>;
  parts: PartState[];
}

const program = join(repository, 'tools/cluster/cluster.py');

const cache = process.env['TIPFLOW_CACHE_DIR'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tipflow');

function consul(): string {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), join(cache, 'consul/usr/bin')];
  const found = places.map((place) => join(place, 'consul')).find((file) => existsSync(file));
  if (found === undefined) throw new Error('Consul is not there; ./dev cluster up fetches it.');
  return found;
}

/** Settings that the nodes of the cluster get, beside those of every cluster. */
export type Settings = Readonly<Record<string, string>>;

export class Cluster {
  constructor(
    readonly directory: string,
    private readonly settings: Settings,
  ) {}

  /** Runs a command of ./dev cluster; what it printed. */
  async command(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`./dev cluster ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  async state(): Promise<ClusterState> {
    const { stdout, stderr } = await this.run(['status', '--json']);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as ClusterState;
  }

  async part(name: string): Promise<PartState> {
    const found = (await this.state()).parts.find((part) => part.name === name);
    if (found === undefined) throw new Error(`the cluster has no ${name}`);
    return found;
  }

  /** The process of a part that runs. */
  async pid(name: string): Promise<number> {
    const { pid } = await this.part(name);
    if (pid === null) throw new Error(`${name} does not run`);
    return pid;
  }

  async untilHealthy(withinMs = 60_000): Promise<void> {
    await waitFor(
      'every part is well',
      async () => {
        const ill = (await this.state()).parts.filter(({ healthy }) => !healthy);
        if (ill.length > 0) throw new Error(ill.map(({ name, state }) => `${name}: ${state}`).join(', '));
        return true;
      },
      { withinMs, everyMs: 250 },
    );
  }

  private async run(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('TIPFLOW_'));
    return run('python3', ['-B', program, ...args], {
      env: {
        ...Object.fromEntries(outside),
        ...this.settings,
        TIPFLOW_CLUSTER_DIR: this.directory,
        TIPFLOW_CLUSTER_BINARY: binary,
        TIPFLOW_CLUSTER_CONSUL: consul(),
        TIPFLOW_CLUSTER_MYSQL: join(cache, 'mysql'),
      },
      withinMs: 240_000,
    });
  }
}
