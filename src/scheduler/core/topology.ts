// Where a node stands and what kind it is, read off its labels. The names are ours; what Kubernetes
// and the clouds put on their nodes is understood as well.

import type { Gpu } from "./state.ts";

export type Labels = Readonly<Record<string, string>>;

/** Levels whose domains hold several nodes, from the tightest to the widest. */
export const DOMAIN_LEVELS = ["rack", "block"] as const;
export type DomainLevel = (typeof DOMAIN_LEVELS)[number];

/** By level, our label first. The first one that the node has counts. */
export const TOPOLOGY_LABELS: Readonly<Record<DomainLevel, readonly string[]>> = {
  rack: [
    "trainyard.dev/topology-rack",
    "topology.kubernetes.io/rack",
    "cloud.provider.com/topology-rack",
    "cloud.google.com/gce-topology-subblock",
    "rack",
  ],
  block: [
    "trainyard.dev/topology-block",
    "topology.kubernetes.io/block",
    "cloud.provider.com/topology-block",
    "cloud.google.com/gce-topology-block",
    "topology.kubernetes.io/zone",
    "block",
  ],
};

/** NVLink islands of a node by GPU index, such as `0-3;4-7`; used where an agent sees none itself. */
export const ISLAND_LABEL = "trainyard.dev/topology-island";

export const SPOT_LABEL = "trainyard.dev/spot";

const SPOT_LABELS: readonly (readonly [string, string])[] = [
  [SPOT_LABEL, "true"],
  ["cloud.google.com/gke-spot", "true"],
  ["karpenter.sh/capacity-type", "spot"],
  ["eks.amazonaws.com/capacityType", "SPOT"],
  ["kubernetes.azure.com/scalesetpriority", "spot"],
];

/**
 * The domain of a level that a node is in; empty when no label says so. Racks of one name in two
 * blocks are two racks: `block/rack`.
 */
export function domainOf(labels: Labels, level: DomainLevel): string {
  const own = labelOf(labels, level);
  if (own === "" || level === "block") return own;
  const block = labelOf(labels, "block");
  return block === "" ? own : `${block}/${own}`;
}

function labelOf(labels: Labels, level: DomainLevel): string {
  const name = TOPOLOGY_LABELS[level].find((label) => (labels[label] ?? "") !== "");
  return name === undefined ? "" : (labels[name] ?? "");
}

/** May the node be taken away at short notice? */
export function isSpotNode(labels: Labels): boolean {
  return SPOT_LABELS.some(([name, value]) => labels[name] === value);
}

/** The island of each GPU by index; GPUs of which nothing is known are not in it. */
export function islandsOf(gpus: readonly Gpu[]): ReadonlyMap<number, string> {
  const islands = new Map<number, string>();
  for (const { index, island } of gpus) if (island !== "") islands.set(index, island);
  return islands;
}
