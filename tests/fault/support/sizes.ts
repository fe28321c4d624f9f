// How long the long suite is. The defaults are what `./dev test long` promises; smaller ones are for trying it out.
function sizeFrom(variable: string, otherwise: number): number {
  const given = process.env[variable];
  if (given === undefined || given === '') return otherwise;
  const size = Number(given);
  if (!Number.isInteger(size) || size < 1) throw new Error(`${variable} is not a positive integer: ${given}`);
  return size;
}

/** How often a node is killed on each store. */
export const nodeKills = sizeFrom('TIPFLOW_LONG_KILLS', 150);
/** How often a database server is killed under a node. */
export const serverKills = Math.ceil((nodeKills * 2) / 3);
/** How often a connection is cut in the middle of a commit. */
export const cuts = nodeKills;
/** How often each other fault comes and goes. */
export const rounds = Math.min(5, nodeKills);
/** Tips of the largest run, without kills, in whole batches; the run with kills has a tenth of them. */
export const manyTips = Math.ceil(sizeFrom('TIPFLOW_LONG_TIPS', 10_000_000) / 10_000) * 10_000;
/** Whose tips analysis counts, and how often its node is killed meanwhile. */
export const analysisViewers = Math.ceil(manyTips / 33);
export const analysisKills = Math.ceil(nodeKills / 3);
