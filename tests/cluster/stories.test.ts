// The stories of tests/e2e, unchanged, through the edge of a cluster.
import { TipflowNode } from '../e2e/support/node.ts';
import { ClusterNode } from './support/cluster_node.ts';

TipflowNode.instead = async () => ClusterNode.find();
process.env['TIPFLOW_E2E_STORES'] = 'mariadb';

await import('../e2e/stories.test.ts');
await import('../e2e/duplicates.test.ts');
await import('../e2e/rates.test.ts');
