// A real Consul of a test's own: one server on free ports of 127.0.0.1; killed, started again empty, asked who is there.
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Process, freePort, makeDirectory, removeDirectory } from './processes.ts';
import { waitFor } from './wait.ts';

/** On the PATH, or where `./dev cluster` and `./dev test` keep the one they fetched. */
function program(): string {
  const cache = process.env['TIPFLOW_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tipflow');
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(cache, 'consul/usr/bin')];
  for (const folder of folders) {
    const path = join(folder, 'consul');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: look on.
    }
  }
  throw new Error(`consul is neither on the PATH nor in ${cache}/consul; ./dev cluster up fetches it.`);
}

interface ServiceEntry {
  Service: { ID: string; Port: number };
}

export class Consul {
  private process: Process | undefined;
  private launches = 0;

  private constructor(
    private readonly ports: readonly number[],
    private readonly directory: string,
  ) {}

  static async start(): Promise<Consul> {
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
    const consul = new Consul(ports, makeDirectory('consul'));
    await consul.launch();
    return consul;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports[0]}`;
  }

  /** Starts it, empty. */
  async launch(): Promise<void> {
    const [http, rpc, lan, wan] = this.ports;
    this.launches += 1;
    const settings = [
      ...['-server', '-bootstrap-expect=1', '-node=tests', '-bind=127.0.0.1', '-client=127.0.0.1'],
      ...[`-data-dir=${join(this.directory, `data-${this.launches}`)}`, `-http-port=${http}`, `-server-port=${rpc}`],
      ...[`-serf-lan-port=${lan}`, `-serf-wan-port=${wan}`, '-dns-port=-1', '-grpc-port=-1', '-log-level=warn'],
      ...['-hcl', 'performance { raft_multiplier = 1 } disable_update_check = true limits { http_max_conns_per_client = 1000 }'],
    ];
    const logFile = join(this.directory, 'log');
    this.process = Process.start(program(), ['agent', ...settings], { cwd: this.directory, logFile });
    await waitFor('Consul has a leader', async () => (await this.ask<string>('/v1/status/leader')) !== '');
  }

  async kill(): Promise<void> {
    await this.process?.end('SIGKILL', 5_000);
    this.process = undefined;
  }

  private async ask<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(2_000) });
    if (!answer.ok) throw new Error(`Consul answered ${answer.status}`);
    return (await answer.json()) as T;
  }

  /** The ports of the nodes that serve a role and pass their check. */
  async passing(role: string): Promise<number[]> {
    const entries = await this.ask<ServiceEntry[]>(`/v1/health/service/tipflow-${role}?passing=1`);
    return entries.map((entry) => entry.Service.Port).sort((a, b) => a - b);
  }

  async dispose(): Promise<void> {
    await this.kill();
    removeDirectory(this.directory);
  }
}
