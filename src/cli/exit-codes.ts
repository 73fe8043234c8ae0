// What a script learns from the exit code. Published in docs/reference/exit-codes.md, which is made
// from this table. `run` and `wait` return the job's own code, which may collide: the reason then
// stands on stderr and in the JSON.

import type { ErrorCode, StatusName } from "../base/errors.ts";
import { ERROR_CATALOGUE } from "../base/errors.ts";

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  forbidden: 4,
  unreachable: 5,
  conflict: 6,
  rejected: 7,
  tryAgain: 75,
  timeout: 124,
  interrupted: 130,
} as const;

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "Done. An empty list is no error.",
  failed: "A check failed, or something went wrong that has no code of its own.",
  usage: "Wrong command, flag, configuration or job file.",
  notFound: "No such job, queue, node, run or checkpoint.",
  forbidden: "Not allowed, or not known who you are.",
  unreachable: "The scheduler, an agent or the object store does not answer.",
  conflict: "Not possible in the present state: ended, already exists, not empty.",
  rejected: "The job can never run: over its queue's limit or larger than the cluster.",
  tryAgain: "A bounded queue is full; the same call may succeed later.",
  timeout: "`--timeout` of `wait` or `run` has passed; the job goes on.",
  interrupted: "Ctrl-C. Jobs go on.",
};

const BY_STATUS: Readonly<Record<StatusName, number>> = {
  INVALID_ARGUMENT: EXIT.usage,
  OUT_OF_RANGE: EXIT.usage,
  NOT_FOUND: EXIT.notFound,
  PERMISSION_DENIED: EXIT.forbidden,
  UNAUTHENTICATED: EXIT.forbidden,
  UNAVAILABLE: EXIT.unreachable,
  DEADLINE_EXCEEDED: EXIT.unreachable,
  ALREADY_EXISTS: EXIT.conflict,
  FAILED_PRECONDITION: EXIT.conflict,
  ABORTED: EXIT.conflict,
  RESOURCE_EXHAUSTED: EXIT.tryAgain,
  DATA_LOSS: EXIT.failed,
  INTERNAL: EXIT.failed,
  CANCELLED: EXIT.interrupted,
};

/** Where a reason says more than its status. */
const BY_CODE: Partial<Record<ErrorCode, number>> = {
  EXCEEDS_CLUSTER: EXIT.rejected,
  EXCEEDS_QUEUE_LIMIT: EXIT.rejected,
  // A file over its limit does not get smaller by trying again.
  TOO_LARGE: EXIT.usage,
  DISK_FULL: EXIT.failed,
  LOCAL_FILE: EXIT.failed,
};

export function exitCodeOfError(code: ErrorCode): number {
  return BY_CODE[code] ?? BY_STATUS[ERROR_CATALOGUE[code].status];
}

export function renderExitCodes(): string {
  const names = Object.keys(EXIT).filter((name) => isExitName(name));
  const rows = names.map((name) => `| ${EXIT[name]} | ${EXIT_MEANINGS[name]} |`);
  return [
    "# Exit codes",
    "",
    "<!-- Generated from src/cli/exit-codes.ts. Do not edit: run the unit tests with `-u` after a change. -->",
    "",
    "`run` and `wait` return the job's own exit code, 128 + N when signal N ended it. Since that may equal",
    "one of the codes below, the reason stands on stderr, and `--output json` carries both.",
    "",
    "| code | meaning |",
    "|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function isExitName(name: string): name is keyof typeof EXIT {
  return Object.hasOwn(EXIT_MEANINGS, name);
}
