// Zod schemas for values written in words: durations, sizes, whole numbers in a range. Loaded
// only by commands that read a file, since zod costs 40 ms to load.

import { z } from "zod";
import type { Parsed } from "./words.ts";
import { formatDuration, parseDuration, parseMemoryMib } from "./words.ts";

/** A whole number; text is taken too when it is digits, since flags and `--set` give text. */
export function wholeNumber(range: { min: number; max: number }) {
  const error = (value: unknown): string =>
    `${shown(value)} is not a whole number from ${range.min} to ${range.max}`;
  return z
    .int({ error: (issue) => error(issue.input) })
    .min(range.min, { error: (issue) => error(issue.input) })
    .max(range.max, { error: (issue) => error(issue.input) });
}

/** Milliseconds. Numbers are seconds, as everywhere. */
export function durationMs(range: { min: number; max: number }) {
  return worded((text) => {
    const result = parseDuration(text);
    if (!result.ok || (result.value >= range.min && result.value <= range.max)) return result;
    const bounds = `${formatDuration(range.min)} to ${formatDuration(range.max)}`;
    return { ok: false, problem: `${JSON.stringify(text)} is outside ${bounds}` };
  });
}

export function memoryMib() {
  return worded(parseMemoryMib);
}

/** Text, or a number as text, read by one of the word parsers. */
export function worded<T>(parse: (text: string) => Parsed<T>) {
  const source = z.union([z.string(), z.number()], {
    error: (issue) => `${shown(issue.input)} is neither text nor a number`,
  });
  return source.transform((raw, context) => {
    const result = parse(String(raw));
    if (result.ok) return result.value;
    context.addIssue({ code: "custom", message: result.problem });
    return z.NEVER;
  });
}

/** A value as it may stand in a message. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

export function textField(what: string) {
  return z.string({ error: (issue) => `${shown(issue.input)} is not ${what}` });
}
