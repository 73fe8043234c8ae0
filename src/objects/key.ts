// What a key may look like. Strict, because a key becomes a path in the folder store: no segment
// may begin with a dot, which rules out `..` and the store's own files.

import { assert } from "../base/assert.ts";

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._=+@-]*$/;
const KEY_LENGTH_MAX = 900;

export function isKey(key: string): boolean {
  return key.length <= KEY_LENGTH_MAX && key.split("/").every((segment) => SEGMENT.test(segment));
}

/** Keys are made by our own code: a bad one is a bug, not bad input. */
export function assertKey(key: string): void {
  assert(isKey(key), `not an object key: ${JSON.stringify(key)}`);
}

/** A prefix is empty, a key, or a key followed by a slash. */
export function assertPrefix(prefix: string): void {
  const key = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  assert(prefix === "" || isKey(key), `not a key prefix: ${JSON.stringify(prefix)}`);
}
