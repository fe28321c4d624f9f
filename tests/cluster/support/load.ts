// `tipflow load` through the edge while something breaks: what it asked, what it was told, second by second.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary } from '../../e2e/support/paths.ts';
import { adminPassword } from '../../e2e/support/people.ts';
import { Process } from '../../e2e/support/processes.ts';

/** One second of the run. */
export interface Second {
  /** Its end, in ms since 1970. */
  at: number;
  perSecond: number;
  errorsPerSecond: number;
  /** Null when no tip was acknowledged. */
  p99Ms: number | null;
}

export interface LoadOutcome {
  requests: number;
  /** Answers other than success, and requests without one. */
  errors: number;
  /** Requests that met a connection that was just being closed, and were sent again: no errors. */
  stale: number;
  seconds: Second[];
  /** What became of every tip, for `tipflow audit --record`. */
  recordFile: string;
  output: string;
}

interface Report {
  startedAt: string;
  totals: { requests: number; errors: number; stale: number; open: number };
  series: { atSeconds: number; perSecond: number; errorsPerSecond: number; p99Ms: number | null }[];
}

export interface LoadOptions {
  url: string;
  directory: string;
  name: string;
  perSecond: number;
  seconds: number;
}

export class Load {
  private constructor(
    private readonly process: Process,
    private readonly options: LoadOptions,
  ) {}

  static start(options: LoadOptions): Load {
    const { url, directory, name, perSecond, seconds } = options;
    const args = [
      ...['load', '--url', url, '--rate', perSecond, '--seconds', seconds, '--warmup', 0, '--connections', 24, '--threads', 1],
      ...['--rooms', 6, '--viewers', 60, '--guests', 1, '--duplicates', 0.02, '--verify', 'none', '--quiet', '--wait-for-node', 60],
      ...['--json', join(directory, `${name}.json`), '--record', join(directory, `${name}.record`)],
    ].map(String);
    const process_ = Process.start(binary, args, {
      cwd: directory,
      env: { ...process.env, TIPFLOW_ADMIN_PASSWORD: adminPassword },
      logFile: join(directory, `${name}.out`),
    });
    return new Load(process_, options);
  }

  /** Whether it has begun to send tips: its people are there. */
  get running(): boolean {
    return this.process.exit === undefined;
  }

  async outcome(): Promise<LoadOutcome> {
    const { directory, name, seconds } = this.options;
    const late = setTimeout(() => this.process.signal('SIGKILL'), (seconds + 180) * 1_000);
    await this.process.exited;
    clearTimeout(late);
    const output = this.process.output();
    let report: Report;
    try {
      report = JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8')) as Report;
    } catch {
      throw new Error(`tipflow load left no report (exit ${this.process.exit?.code}).\n${output}`);
    }
    const startedAt = Date.parse(report.startedAt);
    return {
      requests: report.totals.requests,
      errors: report.totals.errors,
      stale: report.totals.stale,
      seconds: report.series.map(({ atSeconds, ...row }) => ({ at: startedAt + atSeconds * 1_000, ...row })),
      recordFile: join(directory, `${name}.record`),
      output,
    };
  }
}
