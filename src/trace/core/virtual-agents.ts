// The agents of a simulated cluster: each knows the tasks of its node and reports all of them when
// one has changed, as a real agent does.

import { must } from "../../base/assert.ts";
import { type AgentInstanceId, agentInstanceId, type NodeId } from "../../base/ids.ts";
import type { Command, NodeReport, ObservedTask } from "../../scheduler/core/commands.ts";
import type { NodeSpec } from "../../scheduler/core/state.ts";
import type { AttemptWork, JobWork } from "./job-work.ts";
import { type ClusterShape, nodeSpecs } from "./cluster.ts";

interface VirtualNode {
  readonly id: NodeId;
  readonly spec: NodeSpec;
  readonly instance: AgentInstanceId;
  tasks: ObservedTask[];
}

type Observed = Pick<ObservedTask, "state" | "parts">;

export class VirtualAgents {
  readonly #nodes: ReadonlyMap<NodeId, VirtualNode>;
  /** Nodes that have something new to say, in the order in which they came by it. */
  readonly #touched = new Set<VirtualNode>();

  constructor(shape: ClusterShape) {
    this.#nodes = new Map(
      nodeSpecs(shape).map((spec) => {
        const { id } = spec;
        return [id, { id, spec, instance: agentInstanceId(`${id}/1`), tasks: [] }];
      }),
    );
  }

  /** What each agent says when it joins. */
  registrations(): readonly Command[] {
    return [...this.#nodes.values()].map(({ id, spec, instance }) => ({
      kind: "node.register",
      spec,
      instance,
      report: { nodeId: id, instance, generation: 0, tasks: [], conditions: [] },
    }));
  }

  /** Every task of the attempt is seen as what `observed` says of its rank. */
  observe(work: JobWork, attempt: AttemptWork, observed: (rank: number) => Observed): void {
    attempt.nodes.forEach((id, rank) => {
      const node = must(this.#nodes.get(id), id);
      const task = { jobId: work.id, attempt: attempt.number, rank, rendezvous: null };
      const others = node.tasks.filter((one) => one.jobId !== work.id || one.rank !== rank);
      node.tasks = [...others, { ...task, ...observed(rank) }];
      this.#touched.add(node);
    });
  }

  /** Reports of the nodes with news. What was told once (ended tasks, stored parts) is dropped. */
  takeReports(generation: number): readonly NodeReport[] {
    const reports = [...this.#touched].map((node) => {
      const { id, instance, tasks } = node;
      node.tasks = tasks
        .filter(({ state }) => state.kind !== "ended")
        .map((task) => (task.parts.length === 0 ? task : { ...task, parts: [] }));
      return { nodeId: id, instance, generation, tasks, conditions: [] };
    });
    this.#touched.clear();
    return reports;
  }
}
