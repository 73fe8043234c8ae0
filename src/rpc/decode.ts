// Turning wire values into trusted ones, strictly: a value out of its range throws a refusal that
// names the field, the value and what to do. For handlers, whose wrapper answers with it.

import { type ErrorCode, RefusalError, refuse } from "../base/errors.ts";
import { type RequestId, requestId } from "../base/ids.ts";

/** Throws INVALID_SPEC (or `code`) for `field`. */
export function reject(
  field: string,
  value: unknown,
  rule: string,
  remedy: string,
  code: ErrorCode = "INVALID_SPEC",
): never {
  throw new RefusalError(refuse(code, `${field} is ${shown(value)}, ${rule}.`, remedy, field));
}

const SHOWN_MAX = 80;

function shown(value: unknown): string {
  if (value === "") return "empty";
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

export interface WholeRange {
  readonly min: number;
  readonly max: number;
}

/** A whole number in [min, max]. 64-bit values that a number cannot hold exactly are refused. */
export function decodeWhole(value: number, field: string, { min, max }: WholeRange): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  return reject(
    field,
    value,
    `not a whole number in ${min}..${max}`,
    `Give one in ${min}..${max}.`,
  );
}

/** Text of at most `max` UTF-8 bytes without NUL, which no file name or environment can hold. */
export function decodeText(value: string, field: string, max: number): string {
  const size = Buffer.byteLength(value);
  if (size > max) reject(field, value, `${size} bytes long`, `Use at most ${max} bytes.`);
  if (value.includes("\0")) reject(field, value, "with a NUL in it", "Remove the NUL character.");
  return value;
}

export function decodeMatching(
  value: string,
  field: string,
  pattern: RegExp,
  remedy: string,
): string {
  if (pattern.test(value)) return value;
  return reject(field, value, "not of the form that is allowed here", remedy);
}

export function decodeOneOf<T extends string>(
  value: string,
  field: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((candidate) => candidate === value);
  return found ?? reject(field, value, "unknown", `Use one of: ${allowed.join(", ")}.`);
}

/** At most `max` entries. */
export function decodeList<T>(values: readonly T[], field: string, max: number): readonly T[] {
  if (values.length <= max) return values;
  return reject(field, values.length, "too many entries", `Give at most ${max}.`);
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

export function decodeRequestId(value: string): RequestId {
  const remedy = "Draw a fresh id for each new request, 1 to 128 visible ASCII characters.";
  return requestId(decodeMatching(value, "requestId", REQUEST_ID, remedy));
}

/** google.protobuf.Duration, in and out. */
export interface WireDuration {
  readonly seconds?: number | string | { toNumber(): number };
  readonly nanos?: number;
}

const DURATION_MAX_MS = 10 * 365 * 86_400_000;

/** Milliseconds, rounded up, of a duration in [0, 10 years]. */
export function decodeDurationMs(value: WireDuration, field: string): number {
  const ms = Math.ceil(Number(value.seconds ?? 0) * 1_000 + (value.nanos ?? 0) / 1_000_000);
  if (Number.isSafeInteger(ms) && ms >= 0 && ms <= DURATION_MAX_MS) return ms;
  return reject(field, `${ms} ms`, "not a time in 0..10 years", "Give a positive duration.");
}

export function encodeDuration(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: (ms - seconds * 1_000) * 1_000_000 };
}

/** google.protobuf.Timestamp from UTC milliseconds; null stays absent. */
export function encodeTimestamp(ms: number): { seconds: number; nanos: number };
export function encodeTimestamp(ms: number | null): { seconds: number; nanos: number } | null;
export function encodeTimestamp(ms: number | null): { seconds: number; nanos: number } | null {
  return ms === null ? null : encodeDuration(ms);
}
