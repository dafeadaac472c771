/**
 * The shipped schema with every object closed: readers must allow for new keys, but here a key that the schema does not
 * know is a mistake.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface ObjectSchema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
}

interface Schema {
  readonly $id: string;
  readonly oneOf: readonly { readonly $ref: string }[];
  readonly $defs: Readonly<Record<string, ObjectSchema>>;
}

const path = new URL('../../schema/rstscope-v1.schema.json', import.meta.url);
export const schema = JSON.parse(readFileSync(path, 'utf8')) as Schema;

/** Adds `additionalProperties: false` wherever properties are listed. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  const lists = 'type' in node && node.type === 'object' && 'properties' in node;
  return lists ? { ...copy, additionalProperties: false } : copy;
}

function validator(root: object): (value: unknown) => string[] {
  // Unions of types and formats beside anyOf are meant.
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, strictTypes: false });
  addFormats.default(ajv);
  const validate = ajv.compile(root);
  return (value) =>
    validate(value)
      ? []
      : (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message ?? ''} ${JSON.stringify(e.params)}`);
}

const validators = new Map<string, (value: unknown) => string[]>();

/** What is wrong with a value by one definition, keys that the definition does not know included. */
export function strictly(definition: string): (value: unknown) => string[] {
  const before = validators.get(definition);
  if (before !== undefined) return before;
  const { oneOf: _oneOf, ...definitions } = closed(schema) as Schema;
  const made = validator({ ...definitions, $ref: `#/$defs/${definition}` });
  validators.set(definition, made);
  return made;
}

/** What is wrong with a document or line, as a reader of the shipped schema finds it. */
export const asShipped = validator(schema);
