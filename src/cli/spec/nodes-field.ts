// The field `nodes` of a job file: how many, or from how few to how many.

import { z } from "zod";
import { type Parsed, parsed, problem } from "../../config/words.ts";
import { shown, wholeNumber } from "../../config/zod-words.ts";

export interface NodesWish {
  readonly min: number;
  readonly max: number;
}

const NODES_MAX = 4096;

const count = wholeNumber({ min: 1, max: NODES_MAX });

const notWhole = (value: unknown): string =>
  `${shown(value)} is not a whole number from 1 to ${NODES_MAX}`;

/** `2..4`. */
function parseRange(text: string): Parsed<NodesWish> {
  const range = /^(\d+)\.\.(\d+)$/.exec(text);
  const [min = Number.NaN, max = Number.NaN] = range === null ? [] : range.slice(1).map(Number);
  if (range !== null) return ordered({ min, max }, `${shown(text)} is not a range such as 2..4`);
  return problem(`${notWhole(text)}, nor a range such as 2..4`);
}

function ordered(wish: NodesWish, otherwise: string): Parsed<NodesWish> {
  const { min, max } = wish;
  if (min < 1 || max > NODES_MAX) return problem(`${otherwise}, from 1 to ${NODES_MAX}`);
  return min <= max ? parsed(wish) : problem(`${otherwise}: ${min} is more than ${max}`);
}

// The union looks at kinds alone: what is wrong inside is said by the one arm that was meant.
export const nodesField = z
  .union(
    [
      count,
      z.string(),
      z.strictObject({
        min: count.describe("The fewest with which it runs."),
        max: count.describe("The most that it takes."),
      }),
    ],
    { error: (issue) => notWhole(issue.input) },
  )
  .transform((raw, context): NodesWish => {
    if (typeof raw === "number") return { min: raw, max: raw };
    const found = typeof raw === "object" ? ordered(raw, "is not a range") : parseRange(raw);
    if (found.ok) return found.value;
    context.addIssue({ code: "custom", message: found.problem });
    return z.NEVER;
  });
