// Looking things up in the state where an invariant says that they are there.

import { must } from "../../base/assert.ts";
import type { JobId, NodeId, QueuePath } from "../../base/ids.ts";
import type { Job, JobSpec } from "./job.ts";
import type { ClusterState, Node, Queue } from "./state.ts";

export const jobOf = (state: ClusterState, id: JobId): Job => must(state.jobs.get(id), id);
export const nodeOf = (state: ClusterState, id: NodeId): Node => must(state.nodes.get(id), id);
export const queueOf = (state: ClusterState, path: QueuePath): Queue =>
  must(state.queues.get(path), `queue ${path}`);

/** The queue and all queues above it, nearest first. The root is not one. */
export function queueLineage(path: QueuePath): readonly QueuePath[] {
  const lineage: QueuePath[] = [];
  let rest: string = path;
  while (rest !== "") {
    lineage.push(rest as QueuePath);
    rest = rest.slice(0, Math.max(0, rest.lastIndexOf("/")));
  }
  return lineage;
}

/** The queue at the top of the tree that it is in. */
export const topOf = (state: ClusterState, path: QueuePath): Queue =>
  queueOf(state, (path.split("/", 1)[0] ?? path) as QueuePath);

/** GPUs of the gang at its largest. */
export const gpusOf = (spec: JobSpec): number => spec.nodes * spec.perNode.gpus;

/**
 * Keys to forget, oldest first, once a collection in order of age is a hundredth over `kept`; none
 * until then. Many at a time, since finding the oldest of a large Map passes over all that was
 * deleted before it.
 */
export function oldestBeyond<K>(
  collection: { readonly size: number; keys(): Iterable<K> },
  kept: number,
): readonly K[] {
  const slack = Math.ceil(kept / 100);
  if (collection.size <= kept + slack) return [];
  const surplus = collection.size - kept;
  const oldest: K[] = [];
  for (const key of collection.keys()) {
    oldest.push(key);
    if (oldest.length === surplus) break;
  }
  return oldest;
}
