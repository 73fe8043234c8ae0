// What the tracker takes: names, sizes and counts, with the refusals that name what is over.

import { refuse, type Refusal } from "../../base/errors.ts";

/** Characters of a metric, param or tag name, of an experiment and of a run's name; MLflow's limit. */
export const NAME_CHARS_MAX = 250;
export const RUN_ID_CHARS_MAX = 128;
export const SOURCE_CHARS_MAX = 500;
/** MLflow's limit. */
export const PARAM_CHARS_MAX = 6_000;
/** MLflow's limit. */
export const TAG_CHARS_MAX = 8_000;
/** Params of one run, and tags of one run. */
export const PAIRS_PER_RUN_MAX = 2_000;
export const METRICS_PER_RUN_MAX = 10_000;
export const ATTEMPTS_PER_SERIES_MAX = 10_000;
export const POINTS_PER_BATCH_MAX = 100_000;
export const PAGE_SIZE_DEFAULT = 100;
export const PAGE_SIZE_MAX = 1_000;
export const QUERY_POINTS_DEFAULT = 1_000;
export const QUERY_POINTS_MAX = 100_000;

/** Null when the name will do. Control characters would break logs and tables that show it. */
export function checkName(field: string, name: string, charsMax = NAME_CHARS_MAX): Refusal | null {
  if (name.length === 0) {
    return refuse("INVALID_SPEC", `${field} is empty.`, "Give it a name.", field);
  }
  if (name.length > charsMax) return tooLong(field, name, charsMax);
  if (/\p{Cc}|\p{Cs}/u.test(name)) {
    const message = `${field} ${JSON.stringify(shorten(name))} has a control character.`;
    return refuse("INVALID_SPEC", message, "Use printable characters.", field);
  }
  return null;
}

export function checkLength(field: string, text: string, charsMax: number): Refusal | null {
  return text.length > charsMax ? tooLong(field, text, charsMax) : null;
}

export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function tooLong(field: string, text: string, charsMax: number): Refusal {
  const message = `${field} ${JSON.stringify(shorten(text))} has ${text.length} characters.`;
  return refuse("INVALID_SPEC", message, `Use at most ${charsMax}.`, field);
}
