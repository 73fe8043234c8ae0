// What the cluster has, and shares of it in one unit, so that GPUs, CPUs and memory can be held
// against each other (dominant resource fairness): thousandths of a GPU. A tenth of the cluster's
// memory weighs as much as a tenth of its GPUs.

import { RESOURCE_KINDS, type ResourceKind, type Resources } from "../../base/resources.ts";
import { scaleUp } from "./ratio.ts";
import type { ClusterState } from "./state.ts";

const MILLI = 1_000;
/** Where there is no GPU at all, a share is in millionths. */
const WHOLE_WITHOUT_GPUS = 1_000_000;

export interface DominantShare {
  readonly kind: ResourceKind;
  readonly milliGpus: number;
}

export class Capacity {
  /** Of nodes that are up. CPUs and memory of nodes that do not account for them are not in it. */
  readonly totals: Resources;
  /** The whole cluster. */
  readonly milliGpus: number;

  constructor(state: ClusterState) {
    const totals = { gpus: 0, cpuMilli: 0, memoryMib: 0 };
    for (const { health, spec } of state.nodes.values()) {
      if (health !== "up") continue;
      totals.gpus += spec.gpus.length;
      totals.cpuMilli += spec.cpuMilli;
      totals.memoryMib += spec.memoryMib;
    }
    this.totals = totals;
    this.milliGpus = totals.gpus === 0 ? WHOLE_WITHOUT_GPUS : totals.gpus * MILLI;
  }

  /** Rounded up, so that no use weighs nothing. What the cluster has none of has no weight. */
  shareOf(kind: ResourceKind, amount: number): number {
    if (kind === "gpus") return amount * MILLI;
    const total = this.totals[kind];
    return total === 0 || amount === 0 ? 0 : scaleUp(amount, this.milliGpus, total);
  }

  /** The resource of which it is the largest part; of equal ones the first: GPUs, CPUs, memory. */
  dominant(amounts: Resources): DominantShare {
    let most: DominantShare = { kind: "gpus", milliGpus: this.shareOf("gpus", amounts.gpus) };
    for (const kind of RESOURCE_KINDS) {
      const milliGpus = this.shareOf(kind, amounts[kind]);
      if (milliGpus > most.milliGpus) most = { kind, milliGpus };
    }
    return most;
  }
}
