// What would become of a job if it were submitted now: refused, started, let in by others who leave, or
// made to wait, and then for what and how long. Tried on a copy of the state; of an array, its first
// element is told about.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import type { Refusal } from "../../base/errors.ts";
import { holdOf } from "./admission.ts";
import { arrayIndexes } from "./array.ts";
import { type Explanation, explainInTurns } from "./explain.ts";
import type { Leftovers, Moment, Starts } from "./explain-when.ts";
import { type Turn, turnAlone } from "./forecast-turns.ts";
import type { Identity, JobSpec } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { type Preview, planFor, previewOf, suppose } from "./preview.ts";
import { count, named } from "./wording.ts";

export interface SubmissionPreview {
  readonly kind: "preview";
  readonly preview: Preview;
  readonly explanation: Explanation;
}

/** The job is placed in a forecast of the others. Pauses after each pass. */
export function* explainSubmission(
  { state, nowMs, starts, left }: Moment,
  { spec, owner }: { readonly spec: JobSpec; readonly owner: Identity },
): Generator<void, SubmissionPreview | Refusal> {
  const supposed = suppose(state, [{ kind: "job.submit", spec }], owner, nowMs);
  if (supposed.kind === "refusal") return supposed;
  const id = must(supposed.jobId, "the job submitted");
  const known = left?.findings() ?? null;
  const planned = planFor(supposed.state, id, nowMs, known);
  const job = jobOf(supposed.state, id);
  const seen = previewOf(planned, id);
  const hold = holdOf(supposed.state, planned.holds, id);
  const preview: Preview = seen.kind === "waits" ? { kind: "waits", hold } : seen;
  let told = explanationOf(preview);
  if (seen.kind === "waits") {
    yield;
    const turn = turnAlone(supposed.state, nowMs, id);
    const then = { state: supposed.state, nowMs, starts: withTurn(starts, id, turn) };
    yield;
    const isRoomFor: Leftovers["isRoomFor"] = (...asked) =>
      planned.holds.isRoomFor(...asked) && left?.isRoomFor(...asked) !== false;
    told = yield* explainInTurns({ ...then, left: { isRoomFor, findings: () => known } }, id, hold);
    // It has not waited yet.
    told = { ...told, lines: ["It would wait.", ...told.lines.slice(1)] };
  }
  const elements = job.array === null ? [] : [arrayLine(spec)];
  return {
    kind: "preview",
    preview,
    explanation: { ...told, lines: [...elements, ...told.lines] },
  };
}

/** With what a job may take from others that is not in the forecast. */
function withTurn(starts: Starts | null, id: JobId, turn: Turn | null): Starts | null {
  if (starts === null) return null;
  return {
    nowMs: starts.nowMs,
    of: (job, aheadCount, its) => starts.of(job, aheadCount, its),
    turnOf: (other) => (other === id ? turn : starts.turnOf(other)),
  };
}

/** Of one that waits, nothing yet. */
function explanationOf(preview: Preview): Explanation {
  const none = { position: 0, ahead: [], remedy: "", prospect: null };
  switch (preview.kind) {
    case "starts": {
      const where = preview.placement.map(({ nodeId }) => nodeId);
      return { ...none, lines: [`It would start now on ${named(where)}.`] };
    }
    case "reserves": {
      const { evictions } = preview;
      const who = named(evictions.map(({ victim }) => victim));
      const first =
        evictions.length === 0
          ? "It would start as soon as those have left who are being stopped already."
          : `It would start once ${who} ${evictions.length === 1 ? "has" : "have"} left for it.`;
      return {
        ...none,
        lines: [first, ...evictions.map(({ how, why }) => `Right: ${how}. ${why}`)],
      };
    }
    case "waits":
      return { ...none, lines: [] };
  }
}

function arrayLine(spec: JobSpec): string {
  const most = spec.array?.parallel ?? null;
  const bound = most === null ? "" : `, at most ${most} at once`;
  const jobs = count(arrayIndexes(spec).length, "job");
  return `Of the ${jobs} of the array${bound}, this is about the first.`;
}
