// What is free on the nodes at the beginning of a pass. Of thousands of nodes a few have changed
// since the pass before: only those are looked at again.

import type { NodeId } from "../../base/ids.ts";
import { isSchedulable, NodePool } from "./fit.ts";
import type { Node } from "./state.ts";

/** A pool of the nodes as they were when it was asked for last. */
interface Remembered {
  /** In the order of the map. */
  readonly nodes: Node[];
  readonly pool: NodePool;
}

/**
 * By the map that a state has its nodes in, for as long as there is that state. A node that changed
 * is another object, so what is remembered is never out of date, whoever changed it.
 */
const remembered = new WeakMap<ReadonlyMap<NodeId, Node>, Remembered>();

/** With every allocation taken. The caller's own, to take from. */
export function poolOf(nodes: ReadonlyMap<NodeId, Node>): NodePool {
  let known = remembered.get(nodes);
  if (known === undefined || !bringUpToDate(known, nodes)) {
    const list = [...nodes.values()];
    known = { nodes: list, pool: new NodePool(list) };
    remembered.set(nodes, known);
  }
  return new NodePool(known.pool);
}

/** What is remembered of the nodes holds for a copy of their map too. */
export function sharePool(nodes: ReadonlyMap<NodeId, Node>, copy: ReadonlyMap<NodeId, Node>): void {
  const known = remembered.get(nodes);
  if (known === undefined) return;
  remembered.set(copy, { nodes: [...known.nodes], pool: new NodePool(known.pool) });
}

/** False when more has changed than what jobs hold: then the pool is made anew. */
function bringUpToDate(known: Remembered, nodes: ReadonlyMap<NodeId, Node>): boolean {
  if (known.nodes.length !== nodes.size) return false;
  let at = 0;
  for (const node of nodes.values()) {
    const before = known.nodes[at];
    if (before !== node) {
      if (before === undefined || !isAlikeButForJobs(before, node)) return false;
      known.pool.renew(node);
      known.nodes[at] = node;
    }
    at += 1;
  }
  return true;
}

const isAlikeButForJobs = (a: Node, b: Node): boolean =>
  a.spec === b.spec && isSchedulable(a) === isSchedulable(b);
