// Which nodes already have what a job would have to fetch: the blobs of its checkpoint, where it ran
// before, and the code of its bundle, where that was placed lately. A hint and no promise: agents
// drop what they need least when their disks fill up.

import type { Digest, NodeId } from "../../base/ids.ts";
import { type Job, resumePoint } from "./job.ts";
import type { ClusterState } from "./state.ts";

/** How many nodes are tried first because they have the code. */
const CODE_NODES_MAX = 64;

const NONE: readonly NodeId[] = [];

export class Warmth {
  readonly #state: ClusterState;
  #byBundle: ReadonlyMap<Digest, readonly NodeId[]> | null = null;

  constructor(state: ClusterState) {
    this.#state = state;
  }

  /** Nodes with the checkpoint first, those of the newest attempt before older ones. */
  of(job: Job): readonly NodeId[] {
    const withCode = job.spec.bundle === null ? NONE : this.#withCode(job.spec.bundle.digest);
    if (job.history.length === 0 || resumePoint(job) === null) return withCode;
    const ranOn = job.history
      .toReversed()
      .flatMap(({ placement }) => placement.map(({ nodeId }) => nodeId));
    return [...new Set([...ranOn, ...withCode])];
  }

  #withCode(bundle: Digest): readonly NodeId[] {
    this.#byBundle ??= nodesByBundle(this.#state);
    return this.#byBundle.get(bundle) ?? NONE;
  }
}

function nodesByBundle(state: ClusterState): ReadonlyMap<Digest, readonly NodeId[]> {
  const found = new Map<Digest, NodeId[]>();
  for (const [id, { bundles }] of state.nodes) {
    for (const bundle of bundles) {
      const nodes = found.get(bundle);
      if (nodes === undefined) found.set(bundle, [id]);
      else if (nodes.length < CODE_NODES_MAX) nodes.push(id);
    }
  }
  return found;
}
