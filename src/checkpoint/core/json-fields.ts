// Strict reading of JSON that came from the object store: each accessor names the field that is
// wrong. Inside one `readFields` call a failure travels as an exception; outside it is a refusal.

import { type Refusal, refuse } from "../../base/errors.ts";

export interface Fields {
  text(name: string): string;
  /** A whole number from 0 to `max`; default: the largest exact one. */
  count(name: string, max?: number): number;
  object<T>(name: string, decode: (fields: Fields) => T): T;
  oneOf<T extends string>(name: string, choices: readonly T[]): T;
  texts(name: string, lengthMax: number): readonly string[];
  list<T>(
    name: string,
    lengthMax: number,
    decode: (item: Fields, index: number) => T,
  ): readonly T[];
  /** `what` reads on from the field's name. */
  fail(name: string, what: string): never;
}

class FieldError extends Error {
  override readonly name = "FieldError";
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

export function readFields<T>(
  what: string,
  text: string,
  read: (fields: Fields) => T,
): T | Refusal {
  try {
    return read(fieldsOf(JSON.parse(text), ""));
  } catch (error) {
    if (error instanceof SyntaxError) return bad(what, "", `is not JSON: ${error.message}`);
    if (error instanceof FieldError) return bad(what, error.field, error.message);
    throw error;
  }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refusal";
}

function bad(what: string, field: string, message: string): Refusal {
  const place = field === "" ? `The ${what}` : `The ${what}'s ${field}`;
  return refuse("STORE_CORRUPT", `${place} ${message}.`, "Use an older checkpoint.", field);
}

function fieldsOf(value: unknown, path: string): Fields {
  const fail = (name: string, message: string): never => {
    throw new FieldError(`${path}${name}`, message);
  };
  const get = (name: string): unknown => {
    if (typeof value !== "object" || value === null) return fail("", "is not an object");
    return Object.hasOwn(value, name) ? Reflect.get(value, name) : fail(name, "is missing");
  };
  const array = (name: string, lengthMax: number): readonly unknown[] => {
    const items = get(name);
    if (!Array.isArray(items)) return fail(name, "is not a list");
    return items.length <= lengthMax ? items : fail(name, `has more than ${lengthMax} items`);
  };
  const textOf = (name: string, item: unknown): string =>
    typeof item === "string" ? item : fail(name, "is not text");
  return {
    fail,
    text: (name) => textOf(name, get(name)),
    count: (name, max = Number.MAX_SAFE_INTEGER) => {
      const item = get(name);
      const isCount = typeof item === "number" && Number.isSafeInteger(item) && item >= 0;
      return isCount && item <= max ? item : fail(name, `is not a whole number up to ${max}`);
    },
    object: (name, decode) => decode(fieldsOf(get(name), `${path}${name}.`)),
    oneOf: (name, choices) => {
      const text = textOf(name, get(name));
      const choice = choices.find((known) => known === text);
      return choice ?? fail(name, `is none of ${choices.join(", ")}`);
    },
    texts: (name, lengthMax) => array(name, lengthMax).map((item) => textOf(name, item)),
    list: (name, lengthMax, decode) =>
      array(name, lengthMax).map((item, index) =>
        decode(fieldsOf(item, `${path}${name}[${index}].`), index),
      ),
  };
}
