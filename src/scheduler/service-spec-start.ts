// The part of a submitted job that says how many it makes and when they may start. Names of other
// jobs are read here, when it is submitted; whether these exist is the core's to say.

import { type JobId, jobId } from "../base/ids.ts";
import { parseIndexes } from "../base/index-list.ts";
import type { Refusal } from "../base/errors.ts";
import {
  decodeDurationMs,
  decodeList,
  decodeOneOf,
  decodeText,
  decodeWhole,
  reject,
} from "../rpc/decode.ts";
import type { Timestamp__Output } from "../rpc/gen/google/protobuf/Timestamp.ts";
import type { ArraySpec__Output } from "../rpc/gen/trainyard/v1/ArraySpec.ts";
import type { Dependency__Output } from "../rpc/gen/trainyard/v1/Dependency.ts";
import type { JobSpec__Output } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import { isRefusal } from "../rpc/status.ts";
import type { ArraySpec, Dependency, JobSpec } from "./core/job.ts";

/** What reading a submission needs to know of the cluster. */
export interface SpecContext {
  readonly nowMs: number;
  /** A job or an array by its id, its name or `@last`. */
  readonly find: (reference: string) => { readonly id: JobId } | Refusal;
}

const AFTER_MAX = 64;
const CONDITIONS = ["ok", "failed", "any"] as const;

export function decodeStart(
  message: JobSpec__Output,
  context: SpecContext,
): Pick<JobSpec, "array" | "after" | "beginAtMs" | "deadlineMs" | "isHeld"> {
  const after = decodeList(message.after, "spec.after", AFTER_MAX);
  return {
    array: message.array === null ? null : decodeArray(message.array),
    after: after.map((one, at) => decodeDependency(one, `spec.after[${at}]`, context)),
    beginAtMs: decodeBegin(message, context.nowMs),
    deadlineMs: decodeDeadline(message, context.nowMs),
    isHeld: message.held,
  };
}

function decodeArray({ indexes: text, parallel }: ArraySpec__Output): ArraySpec {
  const indexes = parseIndexes(decodeText(text, "spec.array.indexes", 10_000));
  if (typeof indexes === "string") {
    const remedy = "Write it like 0-99, 1,3,5-9 or 0-100:10.";
    reject("spec.array.indexes", text, `which ${indexes}`, remedy);
  }
  const range = { min: 0, max: 1_000_000 };
  return {
    indexes: text,
    parallel: decodeWhole(parallel, "spec.array.parallel", range) || null,
  };
}

/** A reference that means nobody stays as it is: a repeat of a request is still answered as one. */
function decodeDependency(
  { job, on }: Dependency__Output,
  field: string,
  { find }: SpecContext,
): Dependency {
  const found = find(decodeText(job, `${field}.job`, 128));
  return {
    job: isRefusal(found) ? jobId(job) : found.id,
    on: decodeOneOf(on || "ok", `${field}.on`, CONDITIONS),
  };
}

function decodeBegin({ beginAt, beginAfter }: JobSpec__Output, nowMs: number): number | null {
  if (beginAfter) return nowMs + decodeDurationMs(beginAfter, "spec.beginAfter");
  return beginAt ? decodeInstant(beginAt, "spec.beginAt") : null;
}

function decodeDeadline(message: JobSpec__Output, nowMs: number): number | null {
  const { deadlineAt, deadlineAfter } = message;
  if (deadlineAfter) return nowMs + decodeDurationMs(deadlineAfter, "spec.deadlineAfter");
  return deadlineAt ? decodeInstant(deadlineAt, "spec.deadlineAt") : null;
}

function decodeInstant(at: Timestamp__Output, field: string): number {
  const ms = Math.ceil(Number(at.seconds) * 1_000 + at.nanos / 1_000_000);
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  return reject(field, `${ms} ms`, "not a time since 1970", "Give a later one.");
}
