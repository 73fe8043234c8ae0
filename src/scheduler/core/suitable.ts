// Whether a node or some of its GPUs could serve a task of a shape, whatever runs there.

import type { Bank, NodeSlot } from "./fit.ts";
import { needsIsland, type Shape } from "./shape.ts";

export const isSpotBarred = (slot: NodeSlot, { spot }: Shape): boolean =>
  spot === "avoid" && slot.isSpot;

/** GPUs of `among` in the island that has most of them. */
export function islandMax({ islands }: Bank, among: readonly number[]): number {
  const sizes = new Map<string, number>();
  let most = 0;
  for (const gpu of among) {
    const island = islands.get(gpu);
    if (island === undefined) continue;
    const size = (sizes.get(island) ?? 0) + 1;
    sizes.set(island, size);
    most = Math.max(most, size);
  }
  return most;
}

/** Could the node hold one task of the shape, on GPUs of these types, if nothing else ran there? */
export function isLargeEnough(slot: NodeSlot, shape: Shape, types: readonly string[]): boolean {
  const { gpus, cpuMilli, memoryMib } = shape.perNode;
  const { spec, banks } = slot;
  if (isSpotBarred(slot, shape)) return false;
  if (spec.cpuMilli !== 0 && cpuMilli > spec.cpuMilli) return false;
  if (spec.memoryMib !== 0 && memoryMib > spec.memoryMib) return false;
  if (gpus === 0) return true;
  return banks.some((bank) => {
    if (!types.includes(bank.type) || bank.indexes.length < gpus) return false;
    return !needsIsland(shape) || islandMax(bank, bank.indexes) >= gpus;
  });
}
