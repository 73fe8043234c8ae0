// The fields of a job file that say how many jobs it makes and when they may start.

import { z } from "zod";
import { parseIndexes } from "../../base/index-list.ts";
import { type Parsed, parsed, parseDuration, problem } from "../../config/words.ts";
import { shown, textField, wholeNumber, worded } from "../../config/zod-words.ts";

export interface ArrayWish {
  readonly indexes: string;
  /** 0 = all. */
  readonly parallel: number;
}

export interface DependencyWish {
  /** As written; the scheduler reads names. */
  readonly job: string;
  readonly on: "ok" | "failed" | "any";
}

export type BeginWish =
  | { readonly kind: "at"; readonly atMs: number }
  | { readonly kind: "after"; readonly delayMs: number };

const PARALLEL_MAX = 1_000_000;

function indexes(text: string): Parsed<string> {
  const list = parseIndexes(text);
  return typeof list === "string" ? problem(`${shown(text)} ${list}`) : parsed(text);
}

/** `0-99%10`. */
function parseArray(text: string): Parsed<ArrayWish> {
  const [list = "", most] = text.split("%");
  const known = indexes(list);
  if (!known.ok) return known;
  if (most === undefined) return parsed({ indexes: known.value, parallel: 0 });
  if (/^[1-9]\d{0,5}$/.test(most)) {
    return parsed({ indexes: known.value, parallel: Number(most) });
  }
  return problem(`${shown(text)} must have a number from 1 to 999999 after %`);
}

/** `job-1:ok`; without a condition, ok. */
function parseDependency(text: string): Parsed<DependencyWish> {
  const match = /^(.+?)(?::(ok|failed|any))?$/.exec(text.trim());
  const [, job = "", on] = match ?? [];
  if (job === "" || job.includes(":")) {
    return problem(`${shown(text)} is not a job with ok, failed or any, such as job-41:ok`);
  }
  return parsed({ job, on: on === "failed" || on === "any" ? on : "ok" });
}

function parseDependencies(text: string): Parsed<readonly DependencyWish[]> {
  const found: DependencyWish[] = [];
  for (const part of text.split(",")) {
    const one = parseDependency(part);
    if (!one.ok) return one;
    found.push(one.value);
  }
  return parsed(found);
}

/** `+2h`, or a date and time; without a zone, of this machine. */
function parseBegin(text: string): Parsed<BeginWish> {
  if (text.startsWith("+")) {
    const delay = parseDuration(text.slice(1));
    return delay.ok ? parsed({ kind: "after", delayMs: delay.value }) : delay;
  }
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (Number.isFinite(atMs)) return parsed({ kind: "at", atMs });
  return problem(`${shown(text)} is no time; write it like +2h, 2027-01-31T08:00 or …T08:00Z`);
}

const text = z.union([z.string(), z.number()]);

// The union looks at kinds alone: what is wrong inside is said by the one arm that was meant.
export const arrayField = z
  .union(
    [
      text,
      z.strictObject({
        indexes: text.describe("Such as 0-99, 1,3,5-9 or 0-100:10."),
        parallel: wholeNumber({ min: 1, max: PARALLEL_MAX })
          .optional()
          .describe("At most so many under way at once. Default: all."),
      }),
    ],
    { error: (issue) => `${shown(issue.input)} is neither text such as 0-99%10 nor a map` },
  )
  .transform((raw, context): ArrayWish => {
    const isMap = typeof raw === "object";
    const found = isMap ? indexes(String(raw.indexes)) : parseArray(String(raw));
    if (!found.ok) {
      const path = isMap ? ["indexes"] : [];
      context.addIssue({ code: "custom", message: found.problem, path });
      return z.NEVER;
    }
    if (typeof found.value === "object") return found.value;
    return { indexes: found.value, parallel: isMap ? (raw.parallel ?? 0) : 0 };
  });

const dependencyField = z.union(
  [
    worded(parseDependency),
    z
      .strictObject({
        job: textField("a job").min(1, { error: "is empty" }).describe("Id, name or @last."),
        on: z
          .enum(["ok", "failed", "any"], {
            error: (issue) => `${shown(issue.input)} is not ok, failed or any`,
          })
          .optional()
          .describe("How it must have ended. Default ok."),
      })
      .transform(({ job, on }): DependencyWish => ({ job, on: on ?? "ok" })),
  ],
  { error: (issue) => `${shown(issue.input)} is not a job such as job-41:ok` },
);

export const afterField = z.union([worded(parseDependencies), z.array(dependencyField)], {
  error: (issue) => `${shown(issue.input)} is not a list of jobs such as [job-41:ok]`,
});

export const beginField = worded(parseBegin);
