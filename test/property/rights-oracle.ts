// Who has a right to room and does not use it, by trying everything: any waiting gang, any set of jobs
// that could be asked to leave for it, in any order. Shares nothing with the planner. For worlds where
// GPUs are all that counts, and small ones.

import { must } from "../../src/base/assert.ts";
import type { JobId } from "../../src/base/ids.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import type { ClusterState } from "../../src/scheduler/core/state.ts";

/** What a job will have once all that the plan says has happened: GPUs of each of its nodes. */
interface Holder {
  readonly id: JobId;
  readonly queue: string;
  readonly gpus: number;
  readonly byNode: ReadonlyMap<string, number>;
  /** Of a queue's, or room kept for an elastic job that is changing its size. */
  readonly mayBeAsked: boolean;
}

/**
 * Gangs that wait though they stay inside a guarantee, and jobs of queues over theirs could make room
 * for them by rightful steps. The plan has been carried out.
 */
export function rightsUnused(
  state: ClusterState,
  { holds }: Pick<Plan, "holds">,
): readonly string[] {
  const holders = holdersOf(state);
  const unused: string[] = [];
  for (const [id, { code }] of holds) {
    if (code !== "WAITING_FOR_GPUS" && code !== "FRAGMENTED") continue;
    const victims = new Search(state, holders, id).run();
    if (victims === null) continue;
    unused.push(`${id} of ${queueOf(state, id)} waits, ${victims.join(", ")} could leave`);
  }
  return unused;
}

/** Depth first over all who could be asked, each set once. */
class Search {
  readonly #state: ClusterState;
  readonly #holders: readonly Holder[];
  readonly #id: JobId;
  readonly #seen = new Set<string>();

  constructor(state: ClusterState, holders: readonly Holder[], id: JobId) {
    this.#state = state;
    this.#holders = holders;
    this.#id = id;
  }

  /** Null where nobody has to leave, or nobody's leaving would help. */
  run(): readonly JobId[] | null {
    return this.#fits(this.#holders) ? null : this.#from(this.#holders, []);
  }

  #from(staying: readonly Holder[], gone: readonly JobId[]): readonly JobId[] | null {
    const key = staying.map(({ id }) => id).join();
    if (this.#seen.has(key)) return null;
    this.#seen.add(key);
    if (this.#fits(staying)) return gone;
    for (const victim of staying) {
      if (!this.#mayAsk(victim, staying)) continue;
      const rest = staying.filter((other) => other !== victim);
      const found = this.#from(rest, [...gone, victim.id]);
      if (found !== null) return found;
    }
    return null;
  }

  /**
   * The taker's side stays inside its guarantee, also if none of its own left, and each queue of the
   * other side is over its own.
   */
  #mayAsk(victim: Holder, staying: readonly Holder[]): boolean {
    if (!victim.mayBeAsked) return false;
    const own = queueOf(this.#state, this.#id);
    const [taker] = sideOf(own, victim.queue);
    const theirs = sideOf(victim.queue, own);
    if (taker === undefined || theirs.length === 0) return false;
    const { nodesMin, perNode } = must(this.#state.jobs.get(this.#id), this.#id).spec;
    const asked = nodesMin * perNode.gpus;
    if (useOf(taker, this.#holders) + asked > guaranteeOf(this.#state, taker)) return false;
    return theirs.every((path) => useOf(path, staying) > guaranteeOf(this.#state, path));
  }

  #fits(staying: readonly Holder[]): boolean {
    const { nodesMin, perNode } = must(this.#state.jobs.get(this.#id), this.#id).spec;
    let nodesFit = 0;
    for (const { spec, health, schedulability } of this.#state.nodes.values()) {
      if (health !== "up" || schedulability !== "open") continue;
      const held = staying.reduce((sum, { byNode }) => sum + (byNode.get(spec.id) ?? 0), 0);
      if (spec.gpus.length - held >= perNode.gpus) nodesFit += 1;
    }
    return nodesFit >= nodesMin;
  }
}

/** Those who are leaving have left, and those for whom room is kept have come. */
function holdersOf(state: ClusterState): readonly Holder[] {
  const holders = new Map<JobId, Map<string, number>>();
  const add = (id: JobId, node: string, gpus: number): void => {
    const byNode = holders.get(id) ?? new Map<string, number>();
    holders.set(id, byNode.set(node, (byNode.get(node) ?? 0) + gpus));
  };
  for (const [node, { allocations }] of state.nodes) {
    for (const { jobId, gpus } of allocations) {
      if (state.jobs.get(jobId)?.phase.kind !== "stopping") add(jobId, node, gpus.length);
    }
  }
  for (const { jobId, placement } of state.reservations.values()) {
    for (const { nodeId, gpus } of placement) add(jobId, nodeId, gpus.length);
  }
  return [...holders].map(([id, byNode]) => ({
    id,
    queue: queueOf(state, id),
    gpus: [...byNode.values()].reduce((sum, gpus) => sum + gpus, 0),
    byNode,
    mayBeAsked: !isResizing(state, id),
  }));
}

/** It has just given up what it could spare, and goes on with the rest. */
function isResizing(state: ClusterState, id: JobId): boolean {
  const { phase, history } = must(state.jobs.get(id), id);
  const cause = phase.kind === "stopping" ? phase.cause : (history.at(-1)?.cause ?? null);
  if (phase.kind !== "stopping" && phase.kind !== "pending") return false;
  return cause?.kind === "preempted" && (cause.how === "shrink" || cause.how === "grow");
}

const queueOf = (state: ClusterState, id: JobId): string => must(state.jobs.get(id), id).spec.queue;

function useOf(path: string, holders: readonly Holder[]): number {
  const below = holders.filter(({ queue }) => `${queue}/`.startsWith(`${path}/`));
  return below.reduce((sum, { gpus }) => sum + gpus, 0);
}

/** The queue and those above it, the topmost first. */
const pathsOf = (path: string): readonly string[] =>
  path.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"));

/** The queues on the way to `path` that are not on the way to `other`, the topmost first. */
function sideOf(path: string, other: string): readonly string[] {
  const shared = new Set(pathsOf(other));
  return pathsOf(path).filter((one) => !shared.has(one));
}

const guaranteeOf = (state: ClusterState, path: string): number =>
  must(
    [...state.queues.values()].find(({ spec }) => spec.path === path),
    path,
  ).spec.guarantee;
