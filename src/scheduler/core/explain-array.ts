// Explaining an array in sentences: how its elements stand, and why the next one waits.

import { gateHold } from "./admission.ts";
import { elementsOf } from "./array.ts";
import { type Explanation, explainInTurns } from "./explain.ts";
import { holdMessage } from "./hold-words.ts";
import type { Moment } from "./explain-when.ts";
import type { Hold } from "./hold.ts";
import type { JobArray } from "./job.ts";
import type { JobId } from "../../base/ids.ts";
import type { ClusterState } from "./state.ts";

/** `holdOf` is asked about its elements. Pauses as `explainInTurns` does. */
export function* explainArray(
  moment: Moment,
  array: JobArray,
  holdOf: (id: JobId) => Hold,
): Generator<void, Explanation> {
  const { state } = moment;
  const pending = elementsOf(state, array).filter(({ phase }) => phase.kind === "pending");
  const closed = gateHold(state, array);
  const next = pending.find(({ admittedAtMs }) => admittedAtMs !== null) ?? pending[0];
  if (closed !== null || next === undefined) {
    const lines = [standing(state, array), ...(closed === null ? [] : [holdMessage(closed)])];
    return { lines, position: 0, ahead: [], remedy: "", prospect: null };
  }
  const ofNext = yield* explainInTurns(moment, next.id, holdOf(next.id));
  const about = `The next is ${next.id}, index ${next.array?.index ?? 0}.`;
  return { ...ofNext, lines: [standing(state, array), about, ...ofNext.lines] };
}

function standing(state: ClusterState, array: JobArray): string {
  const { ended, indexes } = array;
  const active = elementsOf(state, array).filter(({ id }) => state.active.has(id)).length;
  const over = ended.succeeded + ended.failed + ended.cancelled;
  const parts = [
    `${active} under way`,
    `${indexes.length - active - over} wait`,
    `${ended.succeeded} succeeded`,
    `${ended.failed} failed`,
    `${ended.cancelled} were cancelled`,
  ];
  const parallel = array.spec.array?.parallel ?? null;
  const bound = parallel === null ? "" : `; at most ${parallel} are under way at once`;
  return `${array.id} is an array of ${indexes.length} jobs: ${parts.join(", ")}${bound}.`;
}
