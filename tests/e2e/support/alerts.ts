// Alerts and run-time settings, as an operator asks for them.
import type { Client } from './client.ts';
import { type WaitOptions, waitFor } from './wait.ts';

export interface Alert {
  id: number;
  rule: string;
  subject: string;
  severity: 'warning' | 'critical';
  state: 'raised' | 'acknowledged' | 'resolved';
  detail: string;
  raisedAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
}

export interface Setting {
  key: string;
  value: string | number;
  configured: string | number;
  least: number | null;
  most: number | null;
  words: string[];
  help: string;
  changedAt: string | null;
  changedBy: string | null;
}

/** So that a node looks at itself every second, and tells at once. */
export const attentive = { TIPFLOW_ALERTS_LOOK_SECONDS: '1' };

/** Two looks and their work, on a slow machine; comparing the books rests a hundred times as long as it took. */
export const looks: WaitOptions = { withinMs: 50_000, everyMs: 100 };

export async function alerts(admin: Client, query: Record<string, string> = {}): Promise<Alert[]> {
  return admin.allPages<Alert>('/admin/alerts', query);
}

/** Waits until there is an alert of a rule in a state, and answers it. */
export async function alertOf(
  admin: Client,
  rule: string,
  state: Alert['state'],
  where: (alert: Alert) => boolean = () => true,
): Promise<Alert> {
  return waitFor(
    `${rule} is ${state}`,
    async () => (await alerts(admin, { state })).find((each) => each.rule === rule && where(each)),
    looks,
  );
}

export async function acknowledge(admin: Client, id: number): Promise<Alert> {
  return (await admin.ask<Alert>('POST', `/admin/alerts/${id}/acknowledge`)).body;
}

export async function settings(admin: Client): Promise<Setting[]> {
  return (await admin.ask<{ items: Setting[] }>('GET', '/admin/settings')).body.items;
}

export async function change(admin: Client, changes: Record<string, string | number | null>): Promise<Setting[]> {
  return (await admin.ask<{ items: Setting[] }>('PUT', '/admin/settings', { json: changes })).body.items;
}

/** The values of one metric on a node's /metrics, by their labels as they are written there. */
export async function metric(anyone: Client, name: string): Promise<Map<string, number>> {
  const { bytes } = await anyone.call('GET', '/metrics');
  const values = new Map<string, number>();
  for (const line of bytes.toString('utf8').split('\n')) {
    const found = new RegExp(String.raw`^${name}(?:\{(.*)\})? (\S+)$`).exec(line);
    if (found !== null) values.set(found[1] ?? '', Number(found[2]));
  }
  return values;
}
