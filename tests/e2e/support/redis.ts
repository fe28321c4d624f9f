// A real Redis of a test's own: in memory alone, on a free port of 127.0.0.1; killed, frozen and started again.
import { join } from 'node:path';
import { createConnection } from 'node:net';
import { Process, freePort, makeDirectory, removeDirectory } from './processes.ts';
import { waitFor } from './wait.ts';

export class Redis {
  private process: Process | undefined;

  private constructor(
    readonly port: number,
    private readonly directory: string,
  ) {}

  static async start(): Promise<Redis> {
    const redis = new Redis(await freePort(), makeDirectory('redis'));
    await redis.launch();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, empty: it saves nothing. */
  async launch(): Promise<void> {
    const settings = { port: String(this.port), bind: '127.0.0.1', dir: this.directory, save: '', appendonly: 'no' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    this.process = Process.start('redis-server', args, { cwd: this.directory, logFile: join(this.directory, 'log') });
    await waitFor('Redis answers', async () => (await this.ask('PING')).startsWith('+PONG'));
  }

  async kill(): Promise<void> {
    await this.process?.end('SIGKILL', 5_000);
    this.process = undefined;
  }

  /** It keeps its connections and answers nothing, until it is woken. */
  freeze(): void {
    this.process?.signal('SIGSTOP');
  }

  wake(): void {
    this.process?.signal('SIGCONT');
  }

  /** What it answers to one command, as it came. */
  async ask(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(this.port, '127.0.0.1', () => socket.write(`${command}\r\n`));
      socket.setTimeout(1_000, () => socket.destroy(new Error('Redis does not answer')));
      socket.once('error', reject);
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString('utf8'));
      });
    });
  }

  async dispose(): Promise<void> {
    await this.kill();
    removeDirectory(this.directory);
  }
}
