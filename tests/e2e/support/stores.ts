// The databases that every suite runs on. TIPFLOW_E2E_STORES=sqlite or =mariadb restricts them.
import type { MariaDbAddress } from './mariadb.ts';

export const storeNames = ['SQLite', 'MariaDB'] as const;
export type StoreName = (typeof storeNames)[number];

export function storesToTest(): StoreName[] {
  const wanted = process.env['TIPFLOW_E2E_STORES'];
  if (wanted === undefined || wanted === '') return [...storeNames];
  const names = wanted.split(',').map((name) => name.trim().toLowerCase());
  const found = storeNames.filter((name) => names.includes(name.toLowerCase()));
  if (found.length !== names.length) throw new Error(`TIPFLOW_E2E_STORES: ${wanted} (known: sqlite, mariadb)`);
  return found;
}

/** The settings that put a fresh node on a store. */
export async function storeSettings(
  store: StoreName,
  mariadb: MariaDbAddress | null,
): Promise<Record<string, string>> {
  if (store === 'SQLite') return {};
  if (mariadb === null) throw new Error('MariaDB was not started');
  const { makeDatabases } = await import('./mariadb.ts');
  return { ...(await makeDatabases(mariadb)) };
}
