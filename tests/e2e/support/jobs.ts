// Scheduled jobs as the API shows them, and what suites do with them.
import type { Client } from './client.ts';
import type { Page } from './model.ts';
import { type WaitOptions, waitUntil } from './wait.ts';

export interface JobRun {
  id: number;
  node: string;
  startedAt: string;
  endedAt: string | null;
  items: number;
  outcome: 'running' | 'succeeded' | 'failed' | 'taken_over' | 'abandoned';
  detail: string | null;
}

export interface Job {
  name: string;
  role: string;
  database: 'DB1' | 'DB2';
  everySeconds: number;
  releaseEverySeconds: number;
  paused: boolean;
  asked: boolean;
  runningOn: string | null;
  runningSince: string | null;
  lastRun: JobRun | null;
  nextDueAt: string | null;
}

export const listJobs = async (operator: Client): Promise<{ items: Job[]; complete: boolean }> =>
  (await operator.ask<{ items: Job[]; complete: boolean }>('GET', '/admin/jobs')).body;

export async function jobNamed(operator: Client, name: string): Promise<Job> {
  const job = (await listJobs(operator)).items.find((each) => each.name === name);
  if (job === undefined) throw new Error(`there is no job ${name}`);
  return job;
}

export const changeJob = async (admin: Client, name: string, change: object): Promise<Job> =>
  (await admin.ask<Job>('PUT', `/admin/jobs/${name}`, { json: change })).body;

export const runsOf = async (operator: Client, name: string, pageSize = 100): Promise<JobRun[]> =>
  (await operator.ask<Page<JobRun>>('GET', `/admin/jobs/${name}/runs`, { query: { pageSize } })).body.items;

/** Asks for a run and waits until one that began later has succeeded. */
export async function runJob(operator: Client, name: string, options: WaitOptions = {}): Promise<JobRun> {
  const newest = (await runsOf(operator, name, 1))[0]?.id ?? 0;
  await operator.ask('POST', `/admin/jobs/${name}/runs`);
  // A run that was under way may have begun before what is to be counted: the one behind it counts.
  const runs = await waitUntil(
    `${name} has run`,
    async () => (await runsOf(operator, name)).filter((run) => run.id > newest && run.outcome === 'succeeded'),
    (found) => found.length > 0,
    options,
  );
  return runs[runs.length - 1] as JobRun;
}
