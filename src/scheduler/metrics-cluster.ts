// Gauges of nodes and GPUs. Reads the state, changes nothing.

import type { ClockOffset } from "../base/clock-offset.ts";
import type { NodeId } from "../base/ids.ts";
import { SECOND_MS } from "../base/time.ts";
import { type MetricsRegistry, setGauge } from "../obs/metrics.ts";
import type { ScrapeTarget } from "../obs/operations-routes.ts";
import { isSchedulable } from "./core/fit.ts";
import { largestGangs } from "./core/fragmentation.ts";
import { poolOf } from "./core/node-pools.ts";
import type { ClusterState, Node } from "./core/state.ts";

/** `down` = lost, `drained` = takes no new jobs. What runs on a draining node counts as allocated. */
const GPU_STATES = ["allocated", "idle", "down", "drained"] as const;
type GpuState = (typeof GPU_STATES)[number];

const NODE_STATES = ["open", "cordoned", "draining", "lost"] as const;

/** What the sessions know of the agents, by node. */
export interface AgentReadings {
  /** Milliseconds since each node's agent was last heard. */
  readonly heartbeatAgesMs: () => ReadonlyMap<NodeId, number>;
  /** How far its clock is ahead of the scheduler's; null = not known. */
  readonly clockOf: (nodeId: NodeId) => ClockOffset | null;
}

type Fill = (state: ClusterState, agents: AgentReadings) => void;

export function clusterGauges(metrics: MetricsRegistry): Fill {
  const gpus = metrics.gauge("trainyard_gpus", "GPUs, by what they do and by model.", [
    "state",
    "gpu_type",
  ]);
  const nodes = metrics.gauge("trainyard_nodes", "Nodes, by state.", ["state"]);
  const conditions = metrics.gauge(
    "trainyard_node_condition",
    "1 for what is wrong with a node, as its agent says; it takes no new tasks meanwhile.",
    ["node", "condition"],
  );
  const freeMax = metrics.gauge(
    "trainyard_node_free_gpus_max",
    "Most GPUs that are free on one node now: a task that asks for more waits.",
  );
  const heartbeat = metrics.gauge(
    "trainyard_agent_heartbeat_age_seconds",
    "Since the node's agent was last heard.",
    ["node"],
  );
  const clock = metrics.gauge(
    "trainyard_agent_clock_ahead_seconds",
    "How far the node's wall clock is ahead of the scheduler's; negative = behind.",
    ["node"],
  );
  const largestGang = metrics.gauge(
    "trainyard_largest_gang_gpus",
    "GPUs of the largest gang that fits now in one domain of the level, all nodes giving as many.",
    ["level", "gpu_type"],
  );
  return (state, agents) => {
    const gangs = largestGangs(poolOf(state.nodes));
    setGauge(
      largestGang,
      gangs.map(({ level, type, gpus: most }) => [{ level, gpu_type: type }, most] as const),
    );
    setGauge(gpus, gpuSeries(state));
    setGauge(
      nodes,
      NODE_STATES.map((wanted) => [{ state: wanted }, countNodes(state, wanted)] as const),
    );
    setGauge(conditions, conditionSeries(state));
    freeMax.set(mostFreeGpus(state));
    setGauge(
      heartbeat,
      [...agents.heartbeatAgesMs()].map(([node, ageMs]) => [{ node }, ageMs / SECOND_MS] as const),
    );
    setGauge(
      clock,
      [...state.nodes.keys()].flatMap((node) => {
        const offset = agents.clockOf(node);
        return offset === null ? [] : [[{ node }, offset.aheadMs / SECOND_MS] as const];
      }),
    );
  };
}

type GpuLabels = { readonly state: GpuState; readonly gpu_type: string };

/** All states of each model that is there, also those with 0: an alert needs a series to look at. */
function gpuSeries(state: ClusterState): readonly (readonly [GpuLabels, number])[] {
  const counts = new Map<string, Record<GpuState, number>>();
  for (const node of state.nodes.values()) {
    const busy = new Set(node.allocations.flatMap((allocation) => allocation.gpus));
    for (const gpu of node.spec.gpus) {
      const ofType = counts.get(gpu.type) ?? { allocated: 0, idle: 0, down: 0, drained: 0 };
      ofType[gpuState(node, busy.has(gpu.index))] += 1;
      counts.set(gpu.type, ofType);
    }
  }
  return [...counts].flatMap(([gpu_type, ofType]) =>
    GPU_STATES.map((gpu) => [{ state: gpu, gpu_type }, ofType[gpu]] as const),
  );
}

function gpuState(node: Node, isBusy: boolean): GpuState {
  if (node.health === "lost") return "down";
  if (isBusy) return "allocated";
  return isSchedulable(node) ? "idle" : "drained";
}

function countNodes(state: ClusterState, wanted: (typeof NODE_STATES)[number]): number {
  let count = 0;
  for (const node of state.nodes.values()) {
    const is = node.health === "lost" ? "lost" : node.schedulability;
    if (is === wanted) count += 1;
  }
  return count;
}

function conditionSeries(
  state: ClusterState,
): readonly (readonly [{ node: string; condition: string }, number])[] {
  return [...state.nodes].flatMap(([node, { conditions }]) =>
    conditions.map(({ kind }) => [{ node, condition: kind }, 1] as const),
  );
}

/** Where Prometheus finds the agents' own metrics: each node's address with the agents' `port`. */
export function agentTargets(state: ClusterState, port: number): readonly ScrapeTarget[] {
  const targets: ScrapeTarget[] = [];
  for (const { spec, health } of state.nodes.values()) {
    if (health === "lost") continue;
    const host = spec.address.includes(":") ? `[${spec.address}]` : spec.address;
    targets.push({ targets: [`${host}:${port}`], labels: { node: spec.id } });
  }
  return targets;
}

function mostFreeGpus(state: ClusterState): number {
  let most = 0;
  for (const node of state.nodes.values()) {
    if (!isSchedulable(node)) continue;
    const busy = node.allocations.reduce((sum, held) => sum + held.gpus.length, 0);
    most = Math.max(most, node.spec.gpus.length - busy);
  }
  return most;
}
