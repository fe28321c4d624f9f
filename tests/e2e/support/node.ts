// One tipflow node under test: started on a free port and in a directory of its own, stopped, killed, started again.
import { join } from 'node:path';
import { afterEach, inject } from 'vitest';
import { Client, type Session } from './client.ts';
import { binary } from './paths.ts';
import { adminPassword } from './people.ts';
import { Process, freePort, makeDirectory, removeDirectory, run } from './processes.ts';
import { type StoreName, storeSettings } from './stores.ts';
import { waitFor } from './wait.ts';

export { adminPassword };

export interface NodeOptions {
  store?: StoreName;
  /** The roles to run; all of them when left out. */
  roles?: readonly string[];
  /** Where the node keeps its files; a temporary directory when left out. */
  dataDir?: string;
  env?: Readonly<Record<string, string>>;
}

export interface AuditResult {
  code: number | null;
  output: string;
}

export class TipflowNode {
  /** What stands in the place of a node, where a story is told to something else: a cluster. */
  static instead: ((options: NodeOptions) => Promise<TipflowNode>) | undefined;

  private process: Process | undefined;
  private admin: Session | undefined;

  protected constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly settings: Readonly<Record<string, string>>,
    private roles: readonly string[] | undefined,
    private readonly ownDataDir: string | undefined,
  ) {}

  static async start(options: NodeOptions = {}): Promise<TipflowNode> {
    if (TipflowNode.instead !== undefined) return TipflowNode.instead(options);
    const node = new TipflowNode(
      await freePort(),
      makeDirectory('node'),
      { ...(await storeSettings(options.store ?? 'SQLite', inject('mariadb'))), ...options.env },
      options.roles,
      options.dataDir,
    );
    try {
      await node.launch();
      return node;
    } catch (error) {
      await node.dispose();
      throw error;
    }
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get dataDir(): string {
    return this.ownDataDir ?? join(this.directory, 'data');
  }

  /** The URLs of its two databases. */
  get databases(): { db1: string; db2: string } {
    return {
      db1: this.settings['TIPFLOW_DB1_URL'] ?? `sqlite:${join(this.dataDir, 'db1.sqlite')}`,
      db2: this.settings['TIPFLOW_DB2_URL'] ?? `sqlite:${join(this.dataDir, 'db2.sqlite')}`,
    };
  }

  get running(): boolean {
    return this.process !== undefined && this.process.exit === undefined;
  }

  get pid(): number {
    if (this.process === undefined) throw new Error('the node is not running');
    return this.process.pid;
  }

  /** Starts the node again on its port and data, with other roles when given ('all' for all of them). */
  async launch(roles?: readonly string[] | 'all'): Promise<void> {
    if (roles !== undefined) this.roles = roles === 'all' ? undefined : roles;
    await this.untilReady(this.spawn());
  }

  /** Starts the process and does not wait until it is ready. */
  spawn(): Process {
    if (this.running) throw new Error('the node is running');
    const server = Process.start(
      binary,
      ['serve', ...(this.roles === undefined ? [] : ['--roles', this.roles.join(',')])],
      { cwd: this.directory, env: this.environment(), logFile: this.logFile },
    );
    this.process = server;
    return server;
  }

  private async untilReady(server: Process): Promise<void> {
    const probe = new Client(this.baseUrl);
    const state = await waitFor(
      'the node is ready',
      async () => {
        if (server.exit !== undefined) return 'gone' as const;
        return (await probe.call('GET', '/readyz', { timeoutMs: 2_000 })).status === 200 && ('ready' as const);
      },
      { withinMs: 20_000, everyMs: 20 },
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output()}`);
    });
    probe.close();
    if (state === 'gone') throw new Error(`The node ended at start (exit ${server.exit?.code}).\n${this.output()}`);
  }

  /** SIGTERM: the node must drain and exit 0 within 10 s. */
  async stop(): Promise<void> {
    const exit = await this.process?.end('SIGTERM', 10_000);
    this.process = undefined;
    if (exit !== undefined && exit.code !== 0) {
      throw new Error(`The node ended with code ${exit.code}, signal ${exit.signal} after SIGTERM.\n${this.output()}`);
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.process?.end('SIGKILL', 5_000);
    this.process = undefined;
  }

  async restart(roles?: readonly string[] | 'all'): Promise<void> {
    await this.stop();
    await this.launch(roles);
  }

  async dispose(): Promise<void> {
    await this.kill();
    removeDirectory(this.directory);
  }

  /** Runs a command of the binary with this node's settings. */
  async command(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return run(binary, args, { cwd: this.directory, env: this.environment() });
  }

  /** `tipflow audit` with this node's settings; big books take longer. */
  async audit(args: readonly string[] = [], withinMs = 30_000): Promise<AuditResult> {
    const { code, stdout, stderr } = await run(binary, ['audit', ...args], {
      cwd: this.directory,
      env: this.environment(),
      withinMs,
    });
    return { code, output: stdout + stderr };
  }

  /** A client without a token. */
  client(): Client {
    return new Client(this.baseUrl);
  }

  /** A client of the first admin; logs in once for each start of the tests. */
  async asAdmin(): Promise<Client> {
    this.admin ??= await this.client().login('operator', 'admin', adminPassword);
    return this.client().as(this.admin);
  }

  /** The end of what the node printed. */
  output(bytes?: number): string {
    const name = `--- output of the node on port ${this.port}`;
    return `${name}\n${this.process?.output(bytes) ?? '(not running)'}\n--- end`;
  }

  private get logFile(): string {
    return join(this.directory, 'output.log');
  }

  private environment(): NodeJS.ProcessEnv {
    const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('TIPFLOW_'));
    return {
      ...Object.fromEntries(outside),
      TIPFLOW_DATA_DIR: this.dataDir,
      TIPFLOW_HTTP_PORT: String(this.port),
      TIPFLOW_HTTP_ADDRESS: '127.0.0.1',
      TIPFLOW_ADMIN_PASSWORD: adminPassword,
      TIPFLOW_SECURITY_PASSWORD_MEMORY_KIB: '8192',
      ...this.settings,
    };
  }
}

/** Prints the node's output after each test that failed. Call it once in a suite. */
export function showOutputOnFailure(node: () => TipflowNode | undefined): void {
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(node()?.output() ?? '(no node)');
  });
}
