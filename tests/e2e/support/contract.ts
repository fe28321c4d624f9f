// Holds every answer against api/openapi.yaml: the status, the media type, the shape, the error code, the trace id.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Client, type Exchange, type Method } from './client.ts';
import { errorsFile, openapiFile, readText } from './paths.ts';
import { type Schema, violationsOf } from './schema.ts';

interface MediaType {
  schema?: Schema;
  example?: unknown;
}

interface ResponseObject {
  $ref?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, MediaType>;
}

interface OperationObject {
  operationId: string;
  description?: string;
  security?: unknown[];
  parameters?: { $ref?: string; name?: string; in?: string; required?: boolean; example?: unknown }[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, ResponseObject>;
  'x-codes': string[];
}

export interface Operation extends OperationObject {
  method: Method;
  /** As in the file: `/api/v1/rooms/{id}`. */
  path: string;
  /** Whether a token is needed. */
  secured: boolean;
}

export interface ErrorEntry {
  code: string;
  status: number;
  retry: boolean;
  /** Stands in `errors[].code`, under invalid_request. */
  field?: boolean;
  en: string;
  zh: string;
}

interface Document {
  info: { 'x-signature-example': SignatureExample };
  paths: Record<string, Record<string, OperationObject>>;
}

export interface SignatureExample {
  signingKey: string;
  method: string;
  target: string;
  timestamp: string;
  nonce: string;
  body: string;
  signature: string;
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const document = parse(readText(openapiFile)) as Document;

export const errorCatalogue = parse(readText(errorsFile)) as ErrorEntry[];

export const signatureExample = document.info['x-signature-example'];

export const operations: Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  methods.flatMap((method) => {
    const operation = item[method.toLowerCase()];
    return operation === undefined ? [] : [{ ...operation, method, path, secured: operation.security?.length !== 0 }];
  }),
);

/** The codes that any address can answer with. */
const everywhere = [
  'route_not_found',
  'method_not_allowed',
  'body_too_large',
  'unsupported_media_type',
  'address_blocked',
  'too_many_requests',
];

const byCode = new Map(errorCatalogue.map((entry) => [entry.code, entry]));

const matchers = operations.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
  literals: operation.path.split('/').filter((part) => !part.startsWith('{')).length,
}));

export function operationOf(method: string, path: string): Operation | undefined {
  return matchers
    .filter((each) => each.operation.method === method && each.pattern.test(path))
    .sort((a, b) => b.literals - a.literals)[0]?.operation;
}

/** What `$ref` names in openapi.yaml. */
export function resolve<T>(reference: string): T {
  let found: unknown = document;
  for (const part of reference.replace(/^#\//, '').split('/')) {
    found = (found as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  if (found === undefined) throw new Error(`openapi.yaml has no ${reference}`);
  return found as T;
}

/** The `type` of a problem document, as the examples of openapi.yaml write it. */
export function problemType(code: string): string {
  const { examples } = resolve<{ examples: Record<string, { value: { type: string } }> }>(
    '#/components/responses/Unauthorized/content/application~1problem+json',
  );
  const example = examples['unauthenticated']?.value.type ?? '';
  if (!example.endsWith('unauthenticated')) throw new Error('openapi.yaml has no example of a problem document');
  return example.slice(0, -'unauthenticated'.length) + code;
}

/** A path of the file with its parameters filled in from the file's own examples. */
export function examplePath(operation: Operation): string {
  const parameters = (operation.parameters ?? []).map((each) =>
    each.$ref === undefined ? each : resolve<NonNullable<OperationObject['parameters']>[number]>(each.$ref),
  );
  const query = parameters.filter((each) => each.in === 'query' && each.required === true);
  const path = operation.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const example = parameters.find((each) => each.in === 'path' && each.name === name)?.example;
    if (example === undefined) throw new Error(`${operation.operationId}: no example for ${name}`);
    return encodeURIComponent(String(example));
  });
  if (query.length === 0) return path;
  return `${path}?${query.map((each) => `${each.name}=${encodeURIComponent(String(each.example))}`).join('&')}`;
}

export const exampleBody = (operation: Operation): unknown =>
  operation.requestBody?.content['application/json']?.example;

/** What is wrong with an answer, in words; empty when it is as the contract says. */
export function violationsOfExchange({ method, path, answer }: Exchange): string[] {
  const where = `${method} ${path} ${answer.status}`;
  const found: string[] = [];
  const traceId = answer.headers['x-trace-id'];
  if (typeof traceId !== 'string' || !/^[0-9a-f]{32}$/.test(traceId)) {
    found.push(`${where}: X-Trace-Id is ${JSON.stringify(traceId)}`);
  }
  const mediaType = (answer.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const operation = operationOf(method, path);
  const isProblem = answer.status >= 400 && !(path === '/readyz' && answer.status === 503);

  if (isProblem) {
    if (mediaType !== 'application/problem+json') found.push(`${where}: the media type is ${mediaType || 'missing'}`);
    const problem = answer.body as Record<string, unknown> | undefined;
    const shape = resolve<Schema>('#/components/schemas/Problem');
    found.push(...violationsOf(problem, shape, resolve).map((each) => `${where}: ${each}`));
    const code = String(problem?.['code']);
    const entry = byCode.get(code);
    if (entry === undefined) found.push(`${where}: ${code} is not in errors.yaml`);
    else if (entry.status !== answer.status) found.push(`${where}: ${code} should have status ${entry.status}`);
    if (problem?.['status'] !== answer.status) found.push(`${where}: the body says status ${problem?.['status']}`);
    if (problem?.['type'] !== problemType(code)) found.push(`${where}: the type is ${problem?.['type']}`);
    if (problem?.['traceId'] !== traceId) found.push(`${where}: traceId ${problem?.['traceId']} is not X-Trace-Id`);
    if (answer.status === 503 && !(Number(answer.headers['retry-after']) > 0)) {
      found.push(`${where}: Retry-After is ${answer.headers['retry-after'] ?? 'missing'}`);
    }
    if (operation !== undefined && !operation['x-codes'].includes(code) && !everywhere.includes(code)) {
      found.push(`${where}: ${operation.operationId} does not list ${code} in x-codes`);
    }
    return found;
  }

  if (operation === undefined) return [...found, `${where}: openapi.yaml has no such operation`];
  const declared = operation.responses[String(answer.status)];
  if (declared === undefined) return [...found, `${where}: ${operation.operationId} does not declare this status`];
  const response = declared.$ref === undefined ? declared : resolve<ResponseObject>(declared.$ref);
  if (response.content === undefined) {
    if (answer.bytes.length > 0) found.push(`${where}: there should be no body`);
    return found;
  }
  const content = response.content[mediaType];
  if (content === undefined) return [...found, `${where}: the media type is ${mediaType || 'missing'}`];
  if (content.schema !== undefined) {
    const value = /json$/.test(mediaType) ? answer.body : answer.bytes.toString('utf8');
    found.push(...violationsOf(value, content.schema, resolve).map((each) => `${where}: ${each}`));
  }
  return found;
}

/**
 * Watches every exchange of a suite and ends the suite with a test that they were as openapi.yaml says.
 * To be called last in a `describe`, so that its test comes last.
 */
export function checkContract(): { succeeded: Set<string> } {
  const violations = new Set<string>();
  const succeeded = new Set<string>();
  let exchanges = 0;
  let stop = (): void => undefined;
  beforeAll(() => {
    stop = Client.observe((exchange) => {
      ++exchanges;
      for (const violation of violationsOfExchange(exchange)) {
        if (violations.size < 50) violations.add(violation.replaceAll(/[0-9a-f]{32}|(?<=\/)\d+/g, '…'));
      }
      const operation = operationOf(exchange.method, exchange.path);
      if (operation !== undefined && exchange.answer.status < 300) succeeded.add(operation.operationId);
    });
  });
  afterAll(() => stop());
  test('all answers above are as openapi.yaml and errors.yaml say', () => {
    expect([...violations]).toEqual([]);
    expect(exchanges).toBeGreaterThan(0);
  });
  return { succeeded };
}
