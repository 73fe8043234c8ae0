// An array as the API shows it: how its elements stand. Pure.

import { encodeTimestamp } from "../rpc/decode.ts";
import type { JobArray as ArrayMessage } from "../rpc/gen/trainyard/v1/JobArray.ts";
import { gateHold } from "./core/admission.ts";
import { elementsOf } from "./core/array.ts";
import type { JobArray } from "./core/job.ts";
import type { ClusterState } from "./core/state.ts";
import { holdView } from "./views-job.ts";
import { specView } from "./views-spec.ts";

export function arrayView(state: ClusterState, array: JobArray): ArrayMessage {
  const hold = gateHold(state, array);
  const elements = elementsOf(state, array);
  return {
    id: array.id,
    spec: specView(array.spec),
    tenant: array.owner.tenant,
    user: array.owner.user,
    submittedAt: encodeTimestamp(array.submittedAtMs),
    elements: array.indexes.length,
    pending: elements.filter(({ phase }) => phase.kind === "pending").length,
    active: elements.filter(({ id }) => state.active.has(id)).length,
    ...array.ended,
    hold: hold === null ? null : holdView(hold),
  };
}
