// How large a gang would fit now, by topology level: what is free beyond that lies in pieces.

import type { NodePool } from "./fit.ts";
import type { TopologyLevel } from "./job.ts";
import { islandMax } from "./suitable.ts";
import { DOMAIN_LEVELS } from "./topology.ts";

export interface LargestGang {
  readonly level: TopologyLevel | "cluster";
  readonly type: string;
  /** Of the whole gang, each node giving the same number. */
  readonly gpus: number;
}

/** For each GPU type and each level that the cluster has. Looks at GPUs only. */
export function largestGangs(pool: NodePool): readonly LargestGang[] {
  return pool.types.flatMap((type): LargestGang[] => {
    const free = new Map<number, number>();
    let island = 0;
    let hasIslands = false;
    for (const slot of pool.slots) {
      const bank = slot.isOffered ? slot.banks.find((one) => one.type === type) : undefined;
      if (bank === undefined) continue;
      free.set(slot.order, bank.free.length);
      hasIslands ||= bank.islands.size > 0;
      island = Math.max(island, islandMax(bank, bank.free));
    }
    const within = (orders: Iterable<number>): number =>
      largestOf([...orders].flatMap((order) => free.get(order) ?? []));
    const levels = DOMAIN_LEVELS.filter((level) => pool.domains(level).length > 0);
    return [
      ...(hasIslands ? [{ level: "island" as const, type, gpus: island }] : []),
      { level: "node", type, gpus: Math.max(0, ...free.values()) },
      ...levels.map((level) => {
        const sizes = pool.domains(level).map(({ orders }) => within(orders));
        return { level, type, gpus: Math.max(0, ...sizes) };
      }),
      { level: "cluster", type, gpus: within(free.keys()) },
    ];
  });
}

/** The most of n nodes times what each of the n has free. */
function largestOf(free: readonly number[]): number {
  const sorted = [...free].sort((a, b) => b - a);
  return sorted.reduce((most, each, at) => Math.max(most, each * (at + 1)), 0);
}
