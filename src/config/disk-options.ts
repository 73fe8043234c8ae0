// The options of a node that say when its disk is full, and the rule between them. Shared by
// `trainyard agent` and `trainyard up`.

import { size } from "./kinds.ts";
import { option, type OptionValues } from "./option.ts";
import type { Problem } from "./problem.ts";
import type { Resolved } from "./resolve.ts";
import { formatMemoryMib } from "./words.ts";

export const DISK_OPTIONS = {
  diskFreeMin: option(size(), {
    name: "disk-free-min",
    help: "With less free space for its state folder than this the node takes no new tasks.",
    fallback: 512,
  }),
  diskFreeEnough: option(size(), {
    name: "disk-free-enough",
    help: "With this much free again it takes new tasks.",
    fallback: 1_024,
  }),
} as const;

/** In MiB. */
export type DiskOptions = OptionValues<typeof DISK_OPTIONS>;

interface Given {
  readonly values: DiskOptions;
  readonly origins: Pick<Resolved<typeof DISK_OPTIONS>["origins"], keyof DiskOptions>;
}

export function diskProblems({ values, origins }: Given): Problem[] {
  const { diskFreeMin, diskFreeEnough } = values;
  if (diskFreeEnough >= diskFreeMin) return [];
  const message = `${formatMemoryMib(diskFreeEnough)} is less than --disk-free-min ${formatMemoryMib(diskFreeMin)}`;
  return [{ where: origins.diskFreeEnough, path: "disk-free-enough", message }];
}
