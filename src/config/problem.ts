// One mistake in what a person wrote, with its place, and many of them as one refusal.

import type { ErrorCode } from "../base/errors.ts";
import { RefusalError, refuse } from "../base/errors.ts";

export interface Problem {
  /** `job.yaml:3:3`, `--gpus` or `TRAINYARD_SERVER`. */
  readonly where: string;
  /** `resources.gpus`; empty when no one field is at fault. */
  readonly path: string;
  /** What is wrong with which value, and what to write instead. */
  readonly message: string;
}

export function formatProblem(problem: Problem): string {
  // A flag or variable says by its own name what is meant; a line of a file does not.
  const isNamed = /^(--|TRAINYARD_)/.test(problem.where);
  const path = problem.path === "" || isNamed ? "" : ` ${problem.path}`;
  return `${problem.where}${path}: ${problem.message}`;
}

const SHOWN_MAX = 20;

/** All mistakes at once, so that nobody mends them one run at a time. */
export function problemsError(
  code: ErrorCode,
  problems: readonly Problem[],
  remedy: string,
): RefusalError {
  const lines = problems.slice(0, SHOWN_MAX).map(formatProblem);
  if (problems.length > SHOWN_MAX) lines.push(`… and ${problems.length - SHOWN_MAX} more`);
  return new RefusalError(refuse(code, lines.join("\n"), remedy, problems[0]?.path ?? ""));
}
