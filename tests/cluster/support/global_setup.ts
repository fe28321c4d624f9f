// One cluster for the whole run, in a temporary directory. TIPFLOW_E2E_KEEP=1 leaves it running for a look.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { adminPassword } from '../../e2e/support/people.ts';
import { freePort } from '../../e2e/support/processes.ts';
import { Cluster, type Databases, type Settings, databasesToTest } from './cluster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    clusterDirectory: string;
    clusterSettings: Settings;
    clusterRoles: string[];
    clusterDatabases: Databases;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const databases = databasesToTest();
  const directory = mkdtempSync(join(tmpdir(), 'tipflow-cluster-'));
  const settings: Settings = {
    TIPFLOW_ADMIN_PASSWORD: adminPassword,
    TIPFLOW_EDGE_PORT: String(await freePort()),
    TIPFLOW_SECURITY_PASSWORD_MEMORY_KIB: '8192',
  };
  project.provide('clusterDirectory', directory);
  project.provide('clusterSettings', settings);
  project.provide('clusterDatabases', databases);
  const cluster = new Cluster(directory, settings);
  const leave = async (): Promise<void> => {
    if (process.env['TIPFLOW_E2E_KEEP'] === '1') {
      console.log(`kept: TIPFLOW_CLUSTER_DIR=${directory} ./dev cluster status`);
      return;
    }
    await cluster.command('down', '--delete');
    rmSync(directory, { recursive: true, force: true });
  };
  const began = Date.now();
  try {
    await cluster.command('up', '--databases', databases);
    const nodes = (await cluster.state()).parts.filter(({ name, kind }) => name === `${kind}-1`);
    project.provide('clusterRoles', nodes.map(({ kind }) => kind));
  } catch (error) {
    await leave();
    throw error;
  }
  console.log(`The cluster (databases: ${databases}) was up in ${((Date.now() - began) / 1_000).toFixed(1)} s.`);
  return leave;
}
