// Job traces as comma-separated values: one job a line, named columns in any order, others ignored.
// Every mistake is told with its line, column, value and remedy.

import { type Refusal, refuse } from "../../base/errors.ts";
import { SECOND_MS } from "../../base/time.ts";
import { gangOf, type TraceJob, type Workload, workloadOf } from "./workload.ts";

export interface TraceColumns {
  /** Column with the tenant; null = one queue for all. */
  readonly tenantColumn: string | null;
  /** Column with the user; null = each tenant is one user. */
  readonly userColumn: string | null;
  /** Column with the stated time limit in seconds, empty = none; null = no job states one. */
  readonly timeLimitColumn: string | null;
}

export interface TraceFormat extends TraceColumns {
  /** Name for messages. */
  readonly file: string;
  /** GPUs of the largest node: larger jobs are gangs. */
  readonly nodeGpus: number;
}

export interface ParsedTrace {
  readonly kind: "trace";
  readonly workload: Workload;
}

/** Where jobs of traces without a tenant column go. */
export const ONLY_TENANT = "default";

const PROBLEMS_SHOWN = 10;
const DURATION_S_MAX = 100 * 365 * 86_400;
const GPUS_MAX = 1_000_000;
/** Names of queues; a path with `/` names a leaf of a queues file. */
const TENANT =
  /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?(\/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)*$/;

/** Never throws: a trace that is wrong comes back as a refusal that names every mistake. */
export function parseTrace(text: string, format: TraceFormat): ParsedTrace | Refusal {
  const lines = text.split(/\r?\n/);
  const titles = fieldsOf(lines[0]?.replace(/^\uFEFF/, "") ?? "").map((title) => title.trim());
  const missing = columnProblem(titles, format);
  if (missing !== null) return missing;
  const reader = new RowReader(titles, format);
  for (const [index, line] of lines.entries()) {
    if (index > 0 && line.trim() !== "") reader.read(line, index + 1);
  }
  return reader.finish();
}

function columnProblem(titles: readonly string[], format: TraceFormat): Refusal | null {
  const wanted = ["submit_s", "duration_s", "gpus"];
  for (const name of [format.tenantColumn, format.userColumn, format.timeLimitColumn]) {
    if (name !== null) wanted.push(name);
  }
  const missing = wanted.filter((name) => !titles.includes(name));
  if (missing.length === 0) return null;
  return refuse(
    "INVALID_TRACE",
    `${format.file}:1: no column ${missing.map((name) => `"${name}"`).join(", ")}; ` +
      `the header has ${titles.map((title) => `"${title}"`).join(", ")}.`,
    "Name the columns in the first line: submit_s,duration_s,gpus, and what --tenant-column, " +
      "--user-column and --time-limit-column name.",
    missing[0],
  );
}

/** Splits a line at commas; a field in quotes may hold commas and doubled quotes. */
function fieldsOf(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(",");
  const fields: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, bare] of line.matchAll(pattern)) {
    fields.push(quoted?.replaceAll('""', '"') ?? bare ?? "");
  }
  return fields;
}

class RowReader {
  readonly #format: TraceFormat;
  readonly #titles: readonly string[];
  readonly #jobs: TraceJob[] = [];
  readonly #problems: string[] = [];
  #problemCount = 0;

  constructor(titles: readonly string[], format: TraceFormat) {
    this.#titles = titles;
    this.#format = format;
  }

  read(text: string, line: number): void {
    const fields = fieldsOf(text);
    const before = this.#problemCount;
    if (fields.length !== this.#titles.length) {
      const found = `${fields.length} fields where the header has ${this.#titles.length}`;
      return this.#problem(line, "", `${found}; a value with a comma needs quotes`);
    }
    const submitS = this.#number(fields, line, "submit_s", {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
    });
    const durationS = this.#number(fields, line, "duration_s", { min: 0, max: DURATION_S_MAX });
    const gpus = this.#number(fields, line, "gpus", { min: 1, max: GPUS_MAX });
    if (!Number.isInteger(gpus)) {
      this.#problem(line, "gpus", `${gpus} is not a whole number; fractions are not traced`);
    }
    const timeLimitMs = this.#timeLimit(fields, line);
    const tenant = this.#tenant(fields, line);
    const { userColumn, nodeGpus, file } = this.#format;
    const user = userColumn === null ? tenant : this.#field(fields, userColumn);
    if (this.#problemCount > before) return;
    this.#jobs.push({
      submitMs: Math.round(submitS * SECOND_MS),
      durationMs: Math.max(1, Math.round(durationS * SECOND_MS)),
      ...gangOf(gpus, nodeGpus),
      tenant,
      owner: { tenant, user },
      timeLimitMs,
      asks: {},
      origin: `${file}:${line}`,
    });
  }

  finish(): ParsedTrace | Refusal {
    const { file } = this.#format;
    if (this.#problemCount > 0) {
      const more = this.#problemCount - this.#problems.length;
      const lines = more > 0 ? [...this.#problems, `… and ${more} more`] : this.#problems;
      return refuse("INVALID_TRACE", lines.join("\n"), `Mend ${file}.`);
    }
    if (this.#jobs.length === 0) {
      return refuse("INVALID_TRACE", `${file} has no jobs.`, "Give one job a line.");
    }
    return { kind: "trace", workload: workloadOf(this.#jobs) };
  }

  #timeLimit(fields: readonly string[], line: number): number | null {
    const { timeLimitColumn } = this.#format;
    if (timeLimitColumn === null || this.#field(fields, timeLimitColumn) === "") return null;
    const limitS = this.#number(fields, line, timeLimitColumn, { min: 1, max: DURATION_S_MAX });
    return Math.round(limitS * SECOND_MS);
  }

  #tenant(fields: readonly string[], line: number): string {
    const { tenantColumn } = this.#format;
    if (tenantColumn === null) return ONLY_TENANT;
    const tenant = this.#field(fields, tenantColumn);
    if (TENANT.test(tenant)) return tenant;
    const remedy = "write letters, digits, `.`, `_` and `-`, at most 63";
    this.#problem(line, tenantColumn, `${JSON.stringify(tenant)} is not a queue's name; ${remedy}`);
    return tenant;
  }

  #number(
    fields: readonly string[],
    line: number,
    column: string,
    range: { readonly min: number; readonly max: number },
  ): number {
    const text = this.#field(fields, column);
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= range.min && value <= range.max) return value;
    const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
    const wanted = `write a number from ${range.min} to ${range.max}`;
    this.#problem(line, column, `${shown} is not a number in range; ${wanted}`);
    return range.min;
  }

  #field(fields: readonly string[], column: string): string {
    return (fields[this.#titles.indexOf(column)] ?? "").trim();
  }

  #problem(line: number, column: string, message: string): void {
    this.#problemCount += 1;
    if (this.#problems.length >= PROBLEMS_SHOWN) return;
    const at = column === "" ? "" : ` column ${column}`;
    this.#problems.push(`${this.#format.file}:${line}${at}: ${message}`);
  }
}
