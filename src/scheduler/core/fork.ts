// A copy of the state to think on: what would happen if? Whoever holds one may `step` and `plan` it like
// the real one, and throws it away. Containers are copied, what they hold never changes and is shared.

import type { ClusterState, MutableClusterState } from "./state.ts";

/** It remembers no request id. */
export function forkState(state: ClusterState): MutableClusterState {
  return {
    ...state,
    jobs: new Map(state.jobs),
    arrays: new Map(state.arrays),
    queues: new Map(state.queues),
    nodes: new Map(state.nodes),
    reservations: new Map(state.reservations),
    requests: new Map(),
    pending: state.pending.copy(),
    dependents: new Map([...state.dependents].map(([id, by]) => [id, new Set(by)])),
    active: new Set(state.active),
    ended: new Set(state.ended),
    runTimes: new Map(state.runTimes),
  };
}
