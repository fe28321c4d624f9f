// Where the repository, the binary and the contract files are.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = process.env['TIPFLOW_BIN'] ?? join(repository, 'build/release/tipflow');
export const openapiFile = join(repository, 'api/openapi.yaml');
export const errorsFile = join(repository, 'api/errors.yaml');
export const suiteFile = (name: string): string => join(repository, 'tests/e2e', name);
export const readText = (path: string): string => readFileSync(path, 'utf8');
