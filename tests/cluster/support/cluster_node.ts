// The cluster in the place of a node: stories that were written for one node are told through the edge.
import { inject } from 'vitest';
import { Client } from '../../e2e/support/client.ts';
import { type AuditResult, TipflowNode } from '../../e2e/support/node.ts';
import { binary } from '../../e2e/support/paths.ts';
import { run } from '../../e2e/support/processes.ts';
import { Cluster, type ClusterState } from './cluster.ts';

export const theCluster = (): Cluster => new Cluster(inject('clusterDirectory'), inject('clusterSettings'));

export class ClusterNode extends TipflowNode {
  private constructor(
    readonly cluster: Cluster,
    private readonly state: ClusterState,
  ) {
    super(Number(new URL(state.edge).port), state.directory, state.environment, undefined, undefined);
  }

  static async find(): Promise<ClusterNode> {
    const cluster = theCluster();
    return new ClusterNode(cluster, await cluster.state());
  }

  /** Every node, one after another, while the others serve. */
  override async restart(): Promise<void> {
    await this.cluster.command('rolling-restart');
  }

  override async dispose(): Promise<void> {
    // It is everybody's.
  }

  override async audit(args: readonly string[] = [], withinMs = 60_000): Promise<AuditResult> {
    const env = { ...process.env, ...this.state.environment };
    const { code, stdout, stderr } = await run(binary, ['audit', ...args], { env, withinMs });
    return { code, output: stdout + stderr };
  }

  override output(): string {
    return `(the logs are in ${this.state.directory})`;
  }

  override client(): Client {
    return new Client(this.state.edge);
  }
}
