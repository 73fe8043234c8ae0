// What a job asks of one node and what a node has. Integers only: shares are compared by
// cross-multiplication, never by division.

export interface Resources {
  readonly gpus: number;
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

export const RESOURCE_KINDS = ["gpus", "cpuMilli", "memoryMib"] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export const NO_RESOURCES: Resources = { gpus: 0, cpuMilli: 0, memoryMib: 0 };

export function addResources(a: Resources, b: Resources): Resources {
  return {
    gpus: a.gpus + b.gpus,
    cpuMilli: a.cpuMilli + b.cpuMilli,
    memoryMib: a.memoryMib + b.memoryMib,
  };
}

export function subtractResources(a: Resources, b: Resources): Resources {
  return {
    gpus: a.gpus - b.gpus,
    cpuMilli: a.cpuMilli - b.cpuMilli,
    memoryMib: a.memoryMib - b.memoryMib,
  };
}
