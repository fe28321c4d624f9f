// A real MariaDB in a temporary directory, on a free port of 127.0.0.1, with the durability of production.
import { accessSync, constants } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { Process, freePort, makeDirectory, removeDirectory, run } from './processes.ts';
import { waitFor } from './wait.ts';

/** What another process needs to make databases on the server. */
export interface MariaDbAddress {
  port: number;
  socket: string;
}

export interface DatabaseUrls {
  TIPFLOW_DB1_URL: string;
  TIPFLOW_DB2_URL: string;
}

const user = 'tipflow';
const password = 'tipflow-e2e';

function program(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look on.
    }
  }
  throw new Error(`${name} is not installed (Debian: mariadb-server). TIPFLOW_E2E_STORES=sqlite leaves MariaDB out.`);
}

export interface MariaDbOptions {
  /** Where it keeps its data; a temporary directory when left out. */
  dataDir?: string;
  /** Size of its cache of pages; 64M when left out. */
  bufferPool?: string | undefined;
  /** Size of its redo log, taken from the disk when its data is made; 32M when left out. */
  redoLog?: string | undefined;
  /** More options of the server's command line; the last one of a name counts. */
  settings?: readonly string[];
}

export class MariaDb {
  private server: Process | undefined;

  private constructor(
    private readonly directory: string,
    private readonly options: MariaDbOptions,
    readonly port: number,
  ) {}

  static async start(options: MariaDbOptions = {}): Promise<MariaDb> {
    const database = new MariaDb(makeDirectory('mariadb'), options, await freePort());
    try {
      const installed = await run(
        program('mariadb-install-db'),
        [
          '--no-defaults',
          '--auth-root-authentication-method=normal',
          '--skip-test-db',
          `--datadir=${database.dataDir}`,
          database.redoLogSize,
          ...asUser(),
        ],
        { withinMs: 60_000 },
      );
      if (installed.code !== 0) throw new Error(`mariadb-install-db: ${installed.stdout}${installed.stderr}`);
      await database.launch();
      return database;
    } catch (error) {
      await database.dispose();
      throw error;
    }
  }

  get address(): MariaDbAddress {
    return { port: this.port, socket: this.socket };
  }

  private get redoLogSize(): string {
    return `--innodb-log-file-size=${this.options.redoLog ?? '32M'}`;
  }

  /** Starts the server again after stop() or kill(), on the same port and with the same data. */
  async launch(): Promise<void> {
    const server = Process.start(
      program('mariadbd'),
      [
        '--no-defaults',
        ...asUser(),
        `--datadir=${this.dataDir}`,
        `--socket=${this.socket}`,
        `--pid-file=${join(this.directory, 'mariadbd.pid')}`,
        '--bind-address=127.0.0.1',
        `--port=${this.port}`,
        '--skip-name-resolve',
        '--innodb-flush-log-at-trx-commit=1',
        `--innodb-buffer-pool-size=${this.options.bufferPool ?? '64M'}`,
        this.redoLogSize,
        '--performance-schema=OFF',
        '--character-set-server=utf8mb4',
        '--max-connections=300',
        ...(this.options.settings ?? []),
      ],
      { cwd: this.directory, logFile: join(this.directory, 'mariadbd.log') },
    );
    this.server = server;
    await waitFor(
      'MariaDB answers',
      async () => {
        if (server.exit !== undefined) return 'gone' as const;
        return (await query(this.address, 'SELECT 1')) !== '' && ('ready' as const);
      },
      { withinMs: 30_000, everyMs: 50 },
    ).then((state) => {
      if (state === 'gone') throw new Error(`mariadbd ended at start.\n${server.output()}`);
    });
  }

  async stop(): Promise<void> {
    await this.server?.end('SIGTERM', 20_000);
    this.server = undefined;
  }

  async kill(): Promise<void> {
    await this.server?.end('SIGKILL', 5_000);
    this.server = undefined;
  }

  get pid(): number {
    if (this.server === undefined) throw new Error('MariaDB is not running');
    return this.server.pid;
  }

  /** True when the server has ended by itself. */
  get ended(): boolean {
    return this.server?.exit !== undefined;
  }

  /** SIGSTOP: it keeps every connection and answers nothing. */
  freeze(): void {
    this.server?.signal('SIGSTOP');
  }

  thaw(): void {
    this.server?.signal('SIGCONT');
  }

  /** The end of what the server printed. */
  output(): string {
    return this.server?.output() ?? '(not running)';
  }

  async dispose(): Promise<void> {
    await this.kill();
    removeDirectory(this.directory);
  }

  private get dataDir(): string {
    return this.options.dataDir ?? join(this.directory, 'data');
  }

  private get socket(): string {
    return join(this.directory, 'mariadb.sock');
  }
}

/** Makes a fresh pair of databases and answers the settings of a node that uses them. */
export async function makeDatabases(server: MariaDbAddress, port = server.port): Promise<DatabaseUrls> {
  const name = `t${process.pid}_${Date.now().toString(36)}_${made++}`;
  const names = [`${name}_db1`, `${name}_db2`] as const;
  await query(
    server,
    [
      `CREATE USER IF NOT EXISTS '${user}'@'127.0.0.1' IDENTIFIED BY '${password}';`,
      ...names.flatMap((each) => [
        `CREATE DATABASE ${each} CHARACTER SET utf8mb4;`,
        `GRANT ALL ON ${each}.* TO '${user}'@'127.0.0.1';`,
      ]),
    ].join('\n'),
  );
  const url = (database: string): string => `mysql://${user}:${password}@127.0.0.1:${port}/${database}`;
  return { TIPFLOW_DB1_URL: url(names[0]), TIPFLOW_DB2_URL: url(names[1]) };
}

let made = 0;

function asUser(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [`--user=${userInfo().username}`];
}

/** An account that reads through the network. */
export interface MariaDbAccount {
  user: string;
  password: string;
  host: string;
  port: number;
}

const asRoot = ({ socket }: MariaDbAddress): string[] => [`--socket=${socket}`, '--user=root'];
const asAccount = ({ user: name, password: secret, host, port }: MariaDbAccount): string[] => [
  `--host=${host}`,
  `--port=${port}`,
  `--user=${name}`,
  `--password=${secret}`,
];

/** Runs SQL, as root through the socket or as an account; answers a line a row, columns parted by tabs. */
export async function query(server: MariaDbAddress | MariaDbAccount, sql: string, withinMs = 20_000): Promise<string> {
  const answer = await run(
    program('mariadb'),
    ['--no-defaults', ...('socket' in server ? asRoot(server) : asAccount(server)), '--batch', '--quick', '--skip-column-names'],
    { input: sql, withinMs },
  );
  if (answer.code !== 0) throw new Error(`mariadb: ${answer.stderr.trim()}`);
  return answer.stdout;
}
