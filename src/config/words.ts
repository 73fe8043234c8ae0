// Durations and sizes as people write them: `1h30m`, `1-12:00:00`, `24GB`. Pure; refuses what is
// ambiguous instead of guessing.

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../base/time.ts";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const problem = (text: string): { readonly ok: false; readonly problem: string } => ({
  ok: false,
  problem: text,
});

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};
const DURATION_FORMS = "write it like 90s, 30m, 1h30m or 1-12:00:00 (days-hours:minutes:seconds)";
/** What a timestamp can still hold: a thousand years. */
const DURATION_MAX_MS = 365_000 * DAY_MS;

/** Milliseconds. A bare number means seconds; `10:00` is minutes:seconds, as in Slurm. */
export function parseDuration(text: string): Parsed<number> {
  const word = text.trim();
  if (word.startsWith("-")) return problem(`${quote(text)} is negative; ${DURATION_FORMS}`);
  const ms = clockFormMs(word) ?? unitFormMs(word);
  if (ms === null) return problem(`${quote(text)} is not a duration; ${DURATION_FORMS}`);
  if (ms > DURATION_MAX_MS) return problem(`${quote(text)} is over a thousand years`);
  return parsed(Math.round(ms));
}

function clockFormMs(word: string): number | null {
  const match = /^(?:(\d+)-)?(\d+)(?::(\d{1,2}))?(?::(\d{1,2}))?$/.exec(word);
  if (match === null) return null;
  const [, days, first, second, third] = match;
  if (days === undefined && second === undefined) return Number(first) * SECOND_MS;
  // With days the fields count from hours; without them two fields are minutes:seconds.
  const fields = [first, second, third].filter((field) => field !== undefined).map(Number);
  const padding = [0, 0].slice(fields.length - 1);
  const aligned = days === undefined ? [...padding, ...fields] : [...fields, ...padding];
  const [hours = 0, minutes = 0, seconds = 0] = aligned;
  return Number(days ?? 0) * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS;
}

function unitFormMs(word: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(word)) return null;
  let total = 0;
  for (const [, amount, unit] of word.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (DURATION_UNITS_MS[unit ?? ""] ?? 0);
  }
  return total;
}

/** The shortest exact form that `parseDuration` reads back: 5400000 → `1h30m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  let rest = ms;
  let text = "";
  for (const [unit, size] of Object.entries(DURATION_UNITS_MS).reverse()) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

const MEMORY_UNITS_BYTES: Readonly<Record<string, number>> = {
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};
const MIB_BYTES = 2 ** 20;
const MEMORY_FORMS = "write it like 24GB (10^9 bytes), 24GiB or 24G (2^30 bytes), 512MiB";

/** MiB, rounded up. A bare number is refused: nobody agrees on what it means. */
export function parseMemoryMib(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt])(i?b?)$/i.exec(text.trim());
  if (match === null) return problem(`${quote(text)} is not a size; ${MEMORY_FORMS}`);
  const [, amount, letter = "", tail = ""] = match;
  const unit = letter.toLowerCase() + (tail.toLowerCase() === "b" ? "b" : "");
  const mib = Math.ceil((Number(amount) * (MEMORY_UNITS_BYTES[unit] ?? 0)) / MIB_BYTES);
  if (!Number.isSafeInteger(mib)) return problem(`${quote(text)} is larger than any host`);
  return parsed(mib);
}

export function formatMemoryMib(mib: number): string {
  if (mib !== 0 && mib % 1024 === 0) return `${mib / 1024}GiB`;
  return `${mib}MiB`;
}

export interface GpuWish {
  readonly count: number;
  /** Empty = any model. */
  readonly type: string;
}

/** `8`, `H100:8`, `H100` (one of them). */
export function parseGpus(text: string): Parsed<GpuWish> {
  const forms = "write a count such as 8, or a model and a count such as H100:8";
  const match = /^(?:([A-Za-z][A-Za-z0-9_.-]*)(?::(\d+))?|(\d+))$/.exec(text.trim());
  if (match === null) return problem(`${quote(text)} is not a number of GPUs; ${forms}`);
  const [, type = "", typedCount, bareCount] = match;
  return parsed({ type, count: Number(bareCount ?? typedCount ?? 1) });
}

/** A value as it may stand in a message: quoted, and cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
