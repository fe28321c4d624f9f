// Child processes of the tests: free ports, temporary directories, ends by process id, nothing left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const keepDirectories = process.env['TIPFLOW_E2E_KEEP'] === '1';
const running = new Set<ChildProcess>();
const directories = new Set<string>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) removeDirectory(directory);
});

export function makeDirectory(purpose: string): string {
  const directory = mkdtempSync(join(tmpdir(), `tipflow-e2e-${purpose}-`));
  directories.add(directory);
  return directory;
}

/** Deletes a directory of makeDirectory; TIPFLOW_E2E_KEEP=1 leaves it for a look. */
export function removeDirectory(directory: string): void {
  directories.delete(directory);
  if (keepDirectories) console.log(`kept: ${directory}`);
  else rmSync(directory, { recursive: true, force: true });
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no port'));
      server.close(() => resolve(address.port));
    });
  });
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process whose output goes to a file, so that a flood of log lines costs the tests nothing. */
export class Process {
  readonly exited: Promise<Exit>;
  exit: Exit | undefined;

  private constructor(
    readonly command: string,
    private readonly child: ChildProcess,
    private readonly logFile: string,
  ) {
    this.exited = new Promise((resolve, reject) => {
      child.once('error', (error) => {
        running.delete(child);
        this.exit = { code: null, signal: null };
        reject(new Error(`${command} could not be started: ${error.message}`));
      });
      child.once('exit', (code, signal) => {
        running.delete(child);
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
    this.exited.catch(() => undefined);
  }

  static start(
    command: string,
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; cwd: string; logFile: string },
  ): Process {
    const log = openSync(options.logFile, 'a');
    try {
      const child = spawn(command, args, {
        cwd: options.cwd,
        env: options.env ?? process.env,
        stdio: ['ignore', log, log],
      });
      running.add(child);
      return new Process(command, child, options.logFile);
    } finally {
      closeSync(log);
    }
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.command} is not running`);
    return this.child.pid;
  }

  signal(name: NodeJS.Signals): void {
    if (this.exit === undefined) this.child.kill(name);
  }

  /** Sends a signal and waits for the end; SIGKILL and an error after the deadline. */
  async end(name: NodeJS.Signals, withinMs: number): Promise<Exit> {
    this.signal(name);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), withinMs);
    });
    const first = await Promise.race([this.exited, late]);
    clearTimeout(timer);
    if (first !== 'late') return first;
    this.signal('SIGKILL');
    await this.exited;
    throw new Error(`${this.command} was still running ${withinMs} ms after ${name}.\n${this.output()}`);
  }

  /** The end of what the process printed. */
  output(bytes = 8_192): string {
    return tailOf(this.logFile, bytes);
  }
}

export function tailOf(file: string, bytes: number): string {
  try {
    const size = statSync(file).size;
    const text = readFileSync(file).subarray(Math.max(0, size - bytes)).toString('utf8');
    return size > bytes ? `…${text}` : text;
  } catch {
    return '';
  }
}

/** Runs a command to its end and answers what it printed. */
export async function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string; withinMs?: number } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), options.withinMs ?? 30_000);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}
