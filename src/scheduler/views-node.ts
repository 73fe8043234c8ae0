// A node as the API shows it. Pure.

import { encodeTimestamp } from "../rpc/decode.ts";
import type { Node as NodeMessage } from "../rpc/gen/trainyard/v1/Node.ts";
import type { Node } from "./core/state.ts";
import { domainOf, isSpotNode } from "./core/topology.ts";
import type { Connections } from "./service-ports.ts";

export function nodeView(node: Node, connections: Connections): NodeMessage {
  const { spec } = node;
  const holders = new Map<number, string>();
  for (const { jobId, gpus } of node.allocations) for (const gpu of gpus) holders.set(gpu, jobId);
  return {
    name: spec.id,
    address: spec.address,
    health: node.health.toUpperCase(),
    schedulability: node.schedulability.toUpperCase(),
    note: node.note,
    conditions: [...node.conditions],
    gpus: spec.gpus.map((gpu) => ({ ...gpu, jobId: holders.get(gpu.index) ?? "" })),
    cpuMilli: spec.cpuMilli,
    memoryMib: spec.memoryMib,
    labels: { ...spec.labels },
    agentVersion: spec.agentVersion,
    registeredAt: encodeTimestamp(node.registeredAtMs),
    jobs: [...new Set(node.allocations.map((held) => held.jobId))],
    isConnected: connections.isConnected(spec.id),
    clock: connections.clockOf(spec.id),
    isSpot: isSpotNode(spec.labels),
    goesAt: encodeTimestamp(node.goesAtMs),
    rack: domainOf(spec.labels, "rack"),
    block: domainOf(spec.labels, "block"),
  };
}
