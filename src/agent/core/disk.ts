// When a node's disk counts as full, and when it no longer does. Two thresholds, so that a node at the
// edge does not come and go with every file.

import type { NodeCondition } from "../../scheduler/core/state.ts";

export interface DiskThresholds {
  /** Free bytes below which new tasks would not get far. */
  readonly minBytes: number;
  /** Free bytes from which they do again; at least `minBytes`. */
  readonly enoughBytes: number;
}

/** `isFull`: what it counted as so far, or that a task just found no room whatever the figures say. */
export function isDiskFull(isFull: boolean, freeBytes: number, limits: DiskThresholds): boolean {
  return freeBytes < (isFull ? limits.enoughBytes : limits.minBytes);
}

export function diskFullCondition(
  folder: string,
  freeBytes: number,
  { enoughBytes }: DiskThresholds,
): NodeCondition {
  const free = `${mebibytes(freeBytes)} free for ${folder}`;
  return { kind: "disk_full", message: `${free}; new tasks from ${mebibytes(enoughBytes)}` };
}

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 1024 ** 2)} MiB`;
