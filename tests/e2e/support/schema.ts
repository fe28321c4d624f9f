// The part of JSON Schema that openapi.yaml uses for answers. A keyword it does not know is an error, never ignored.

export type Schema = boolean | { [keyword: string]: unknown };

type Resolve = (reference: string) => Schema;

const annotations = new Set(['description', 'example', 'examples', 'default', 'title', 'deprecated']);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value === type;
    default:
      throw new Error(`unknown type in openapi.yaml: ${type}`);
  }
}

function hasFormat(value: string, format: string): boolean {
  switch (format) {
    case 'date-time':
      return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value));
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));
    case 'password':
      return true;
    default:
      throw new Error(`unknown format in openapi.yaml: ${format}`);
  }
}

/**
 * What is wrong with `value`. Fields that the schema does not name are wrong too: the contract names every field
 * of an answer.
 */
export function violationsOf(value: unknown, schema: Schema, resolve: Resolve, place = '$'): string[] {
  if (typeof schema === 'boolean') return schema ? [] : [`${place} should not be there`];
  const found: string[] = [];
  const wrong = (what: string): void => {
    found.push(`${place} ${what}: ${JSON.stringify(value)?.slice(0, 120)}`);
  };
  const length = typeof value === 'string' ? [...value].length : undefined;

  for (const [keyword, given] of Object.entries(schema)) {
    switch (keyword) {
      case '$ref':
        found.push(...violationsOf(value, resolve(given as string), resolve, place));
        break;
      case 'anyOf': {
        const branches = (given as Schema[]).map((branch) => violationsOf(value, branch, resolve, place));
        if (!branches.some((branch) => branch.length === 0)) found.push(...(branches[0] ?? []));
        break;
      }
      case 'type': {
        const types = Array.isArray(given) ? (given as string[]) : [given as string];
        if (!types.some((type) => hasType(value, type))) wrong(`should be ${types.join(' or ')}`);
        break;
      }
      case 'enum':
        if (!(given as unknown[]).includes(value)) wrong(`should be one of ${(given as unknown[]).join(', ')}`);
        break;
      case 'required':
        for (const name of isObject(value) ? (given as string[]) : []) {
          if (!(name in (value as object))) found.push(`${place}.${name} is missing`);
        }
        break;
      case 'properties':
        for (const [name, member] of Object.entries(isObject(value) ? value : {})) {
          const known = (given as Record<string, Schema>)[name];
          if (known === undefined) found.push(`${place}.${name} is not in openapi.yaml`);
          else found.push(...violationsOf(member, known, resolve, `${place}.${name}`));
        }
        break;
      case 'additionalProperties':
        break; // Answers are held to the named properties anyway.
      case 'items':
        for (const [index, member] of (Array.isArray(value) ? value : []).entries()) {
          found.push(...violationsOf(member, given as Schema, resolve, `${place}[${index}]`));
        }
        break;
      case 'minItems':
        if (Array.isArray(value) && value.length < (given as number)) wrong(`should have at least ${given} items`);
        break;
      case 'maxItems':
        if (Array.isArray(value) && value.length > (given as number)) wrong(`should have at most ${given} items`);
        break;
      case 'uniqueItems':
        if (Array.isArray(value) && new Set(value.map((each) => JSON.stringify(each))).size < value.length) {
          wrong('should not repeat items');
        }
        break;
      case 'minimum':
        if (typeof value === 'number' && value < (given as number)) wrong(`should be at least ${given}`);
        break;
      case 'maximum':
        if (typeof value === 'number' && value > (given as number)) wrong(`should be at most ${given}`);
        break;
      case 'minLength':
        if (length !== undefined && length < (given as number)) wrong(`should have at least ${given} characters`);
        break;
      case 'maxLength':
        if (length !== undefined && length > (given as number)) wrong(`should have at most ${given} characters`);
        break;
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(given as string, 'u').test(value)) wrong(`should match ${given}`);
        break;
      case 'format':
        if (given === 'int64') {
          if (typeof value === 'number' && !Number.isSafeInteger(value)) wrong('should be below 2^53');
        } else if (typeof value === 'string' && !hasFormat(value, given as string)) wrong(`should be a ${given}`);
        break;
      default:
        if (!annotations.has(keyword)) throw new Error(`unknown keyword in openapi.yaml: ${keyword}`);
    }
  }
  return found;
}
