// Whatever went wrong, as what a person or a script is told: a code, a sentence, the next step, and
// the process's exit code.

import { CommanderError } from "commander";
import type { ErrorCode, Refusal } from "../base/errors.ts";
import { Fault, RefusalError, refuse } from "../base/errors.ts";
import { EXIT, exitCodeOfError } from "./exit-codes.ts";

export interface Failure {
  /** Code of the catalogue, or `USAGE`, or `INTERRUPTED`. */
  readonly code: string;
  readonly message: string;
  /** One next step. */
  readonly remedy: string;
  /** Path of the field at fault; empty when no one field is. */
  readonly field: string;
  readonly exitCode: number;
}

/** A mistake on the command line. */
export function usageError(message: string, remedy: string, field = ""): RefusalError {
  return new RefusalError(refuse("INVALID_OPTION", message, remedy, field));
}

/**
 * What an error refuses; null when it is none. Errors of calls carry a refusal of their own
 * class.
 */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof Error) || !("refusal" in error)) return null;
  const { refusal } = error;
  return isRefusal(refusal) ? refusal : null;
}

function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "refusal";
}

export function hasReason(error: unknown, reason: ErrorCode): boolean {
  return refusalOf(error)?.code === reason;
}

/** The peer goes away and comes back: restarts, reconnects, a queue that was full. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  "SERVER_UNREACHABLE",
  "SHUTTING_DOWN",
  "AGENT_UNREACHABLE",
  "TOO_MANY_REQUESTS",
  "DEADLINE_PASSED",
]);

/** True when the call may succeed later by itself. */
export function isTransient(error: unknown): boolean {
  const refusal = refusalOf(error);
  return refusal !== null && TRANSIENT.has(refusal.code);
}

export function toFailure(error: unknown): Failure {
  const refusal = refusalOf(error);
  if (refusal !== null) {
    const { code, message, remedy, field } = refusal;
    return { code, message, remedy, field, exitCode: exitCodeOfError(code) };
  }
  if (error instanceof CommanderError) return commanderFailure(error);
  if (error instanceof Fault) {
    const exitCode = exitCodeOfError(error.code);
    return { code: error.code, message: error.message, remedy: "", field: "", exitCode };
  }
  if (isAbort(error)) return INTERRUPTED;
  return {
    code: "INTERNAL_ERROR",
    message: error instanceof Error ? error.message : String(error),
    remedy: "This is a bug. TRAINYARD_DEBUG=1 shows where; please report it.",
    field: "",
    exitCode: EXIT.failed,
  };
}

const INTERRUPTED: Failure = {
  code: "INTERRUPTED",
  message: "Interrupted.",
  remedy: "",
  field: "",
  exitCode: EXIT.interrupted,
};

function commanderFailure(error: CommanderError): Failure {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  return {
    code: "USAGE",
    message: [capitalised(first), ...rest].join(" ").trim(),
    remedy: "See `--help`.",
    field: "",
    exitCode: EXIT.usage,
  };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}
