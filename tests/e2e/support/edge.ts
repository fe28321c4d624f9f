// One `tipflow edge` under test, with the nginx it runs, on a free port and in a directory of its own.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { binary } from './paths.ts';
import { Process, freePort, makeDirectory, removeDirectory } from './processes.ts';
import { waitFor } from './wait.ts';

export interface EdgeAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The problem document, or whatever JSON came. */
  json: Record<string, unknown>;
}

export interface Asked {
  body?: string | Buffer;
  headers?: Record<string, string>;
  /** The address of 127.0.0.0/8 that asks. */
  from?: string;
}

export class Edge {
  private process: Process | undefined;

  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly settings: Record<string, string>,
  ) {}

  static async start(consulUrl: string, settings: Record<string, string> = {}): Promise<Edge> {
    const edge = new Edge(await freePort(), makeDirectory('edge'), { TIPFLOW_CONSUL_URL: consulUrl, ...settings });
    try {
      await edge.launch();
      return edge;
    } catch (error) {
      await edge.dispose();
      throw error;
    }
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async launch(): Promise<void> {
    const agent = Process.start(binary, ['edge'], {
      cwd: this.directory,
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TIPFLOW_'))),
        TIPFLOW_DATA_DIR: join(this.directory, 'data'),
        TIPFLOW_EDGE_PORT: String(this.port),
        TIPFLOW_CLUSTER_KEY: '11'.repeat(32),
        ...this.settings,
      },
      logFile: join(this.directory, 'output.log'),
    });
    this.process = agent;
    const state = await waitFor('the edge answers', async () => {
      if (agent.exit !== undefined) return 'gone' as const;
      return (await this.ask('GET', '/livez')).status === 200 && ('up' as const);
    });
    if (state === 'gone') throw new Error(`The edge ended (exit ${agent.exit?.code}).\n${agent.output()}`);
  }

  /** SIGTERM: agent and nginx leave. */
  async stop(): Promise<number | null> {
    const exit = await this.process?.end('SIGTERM', 12_000);
    this.process = undefined;
    return exit?.code ?? null;
  }

  /** kill -9 of the agent alone. */
  async killAgent(): Promise<void> {
    await this.process?.end('SIGKILL', 5_000);
    this.process = undefined;
  }

  async dispose(): Promise<void> {
    await this.killAgent();
    const pid = this.masterPid();
    if (pid !== undefined) process.kill(pid, 'SIGTERM');
    removeDirectory(this.directory);
  }

  /** The process id of nginx's master, while it runs. */
  masterPid(): number | undefined {
    const file = this.file('nginx.pid');
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : Number.NaN;
    return Number.isInteger(pid) && commandLine(pid).includes(this.directory) ? pid : undefined;
  }

  /** Those of its workers. */
  workerPids(): number[] {
    const pid = this.masterPid();
    if (pid === undefined) return [];
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  }

  /** When nginx was last given a configuration. */
  configuredAt(): number {
    return statSync(this.file('nginx.conf')).mtimeMs;
  }

  configuration(): string {
    return readFileSync(this.file('nginx.conf'), 'utf8');
  }

  /** What the agent has logged. */
  log(): string {
    const file = join(this.directory, 'data', 'log', 'tipflow-edge.jsonl');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  output(): string {
    return `--- output of the edge\n${this.process?.output() ?? '(not running)'}\n${this.log()}\n--- end`;
  }

  /** One request on a connection of its own. */
  async ask(method: string, path: string, { body = '', headers = {}, from }: Asked = {}): Promise<EdgeAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          headers: { ...(method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(body)) }), ...headers },
          agent: false,
          timeout: 40_000,
          ...(from === undefined ? {} : { localAddress: from }),
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const isJson = /\bjson\b/.test(incoming.headers['content-type'] ?? '');
            const json = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json });
          });
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  }

  private file(name: string): string {
    return join(this.directory, 'data', 'edge', name);
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Prints what the edge said after each test that failed. */
export function showEdgeOnFailure(edge: () => Edge | undefined): void {
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(edge()?.output() ?? '(no edge)');
  });
}
