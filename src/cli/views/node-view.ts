// Nodes as the command line shows them.

import type { ClockOffset } from "../../base/clock-offset.ts";
import type { Node__Output } from "../../rpc/gen/trainyard/v1/Node.ts";
import { isoTime, timeMs } from "../wire.ts";

export interface NodeView {
  readonly name: string;
  readonly address: string;
  readonly health: string;
  readonly schedulability: string;
  readonly note: string;
  /** What keeps it from taking tasks, such as `disk_full`. */
  readonly conditions: readonly { readonly kind: string; readonly message: string }[];
  readonly gpus: readonly {
    readonly index: number;
    readonly uuid: string;
    readonly type: string;
    readonly memoryMib: number;
    /** null = free. */
    readonly jobId: string | null;
    /** NVLink island; empty = not known. */
    readonly island: string;
  }[];
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly agentVersion: string;
  /** How far its clock is ahead of the scheduler's; null = not known. */
  readonly clock: ClockOffset | null;
  readonly registeredAt: string | null;
  readonly jobs: readonly string[];
  readonly rack: string;
  readonly block: string;
  readonly isSpot: boolean;
  /** After a notice; null = not known to go away. */
  readonly goesAt: string | null;
}

export function nodeView(node: Node__Output): NodeView {
  return {
    name: node.name,
    address: node.address,
    health: node.health,
    schedulability: node.schedulability,
    note: node.note,
    conditions: node.conditions,
    gpus: node.gpus.map(({ index, uuid, type, memoryMib, jobId, island }) => ({
      index,
      uuid,
      type,
      memoryMib,
      jobId: jobId === "" ? null : jobId,
      island,
    })),
    cpuMilli: node.cpuMilli,
    memoryMib: node.memoryMib,
    labels: node.labels,
    agentVersion: node.agentVersion,
    clock: node.clock,
    registeredAt: isoTime(timeMs(node.registeredAt)),
    jobs: node.jobs,
    rack: node.rack,
    block: node.block,
    isSpot: node.isSpot,
    goesAt: isoTime(timeMs(node.goesAt)),
  };
}

export function freeGpus(node: NodeView): number {
  return node.gpus.filter((gpu) => gpu.jobId === null).length;
}

/** One word for all: what a person wants to know is whether it takes tasks. */
export function nodeState(node: NodeView): string {
  if (node.health !== "UP") return node.health;
  if (node.schedulability !== "OPEN") return node.schedulability;
  return node.conditions[0]?.kind.toUpperCase() ?? node.health;
}

/** What an operator wrote, and what the agent says is wrong. */
export function nodeNote(node: NodeView): string {
  return [node.note, ...node.conditions.map(({ message }) => message)]
    .filter((text) => text !== "")
    .join("; ");
}
