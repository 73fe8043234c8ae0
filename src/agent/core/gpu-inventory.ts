// What a node offers as GPUs: whole ones, or the MIG slices of those that are cut up, and which of
// them NVLink joins. Reads what `nvidia-smi -L` and `nvidia-smi topo -m` print.

import type { Gpu } from "../../scheduler/core/state.ts";

/** Indexes of slices begin beyond those of whole GPUs; a GPU has at most 7 slices. */
const SLICE_INDEX_BASE = 100;
const SLICES_MAX = 16;
const MIB_PER_GB = 1_024;

export interface MigSlice {
  /** Index of the GPU that it is a part of. */
  readonly gpu: number;
  readonly device: number;
  /** Such as `1g.10gb`. */
  readonly profile: string;
  /** `MIG-...`: what CUDA_VISIBLE_DEVICES takes. */
  readonly uuid: string;
}

/** The slices of `nvidia-smi -L`; empty where no GPU is cut up. */
export function parseMigSlices(text: string): readonly MigSlice[] {
  const slices: MigSlice[] = [];
  let gpu = -1;
  for (const line of text.split("\n")) {
    const whole = /^GPU (\d+):/.exec(line);
    if (whole !== null) gpu = Number(whole[1]);
    const slice = /^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[^)]+)\)/.exec(line);
    if (slice === null || gpu < 0) continue;
    const [, profile = "", device, uuid = ""] = slice;
    slices.push({ gpu, device: Number(device), profile, uuid });
  }
  return slices;
}

/** Indexes of the GPUs in MIG mode, from `--query-gpu=index,mig.mode.current`. */
export function parseMigMode(text: string): ReadonlySet<number> {
  const enabled = [...text.matchAll(/^\s*(\d+)\s*,\s*Enabled\s*$/gm)];
  return new Set(enabled.map(([, index]) => Number(index)));
}

/**
 * The NVLink island of each GPU, by index, from the matrix of `nvidia-smi topo -m`: GPUs that are
 * joined by `NV<links>`, directly or by way of others. Named after the lowest index. Empty for
 * text without a matrix. The header may be underlined.
 */
export function parseIslands(text: string): ReadonlyMap<number, string> {
  const plain = text.replaceAll("\u001b[4m", "").replaceAll("\u001b[0m", "");
  const rows = plain.split("\n").map((line) => line.split("\t"));
  const header = rows.find((cells) => cells[0]?.trim() === "" && cells.some((cell) => gpuOf(cell)));
  const islands = new Map<number, number>();
  if (header === undefined) return new Map();
  const columns = header.map((cell) => gpuOf(cell));
  const matrix = rows.flatMap((cells) => {
    const gpu = gpuOf(cells[0] ?? "");
    return gpu === null ? [] : [{ gpu: gpu.index, cells }];
  });
  for (const { gpu } of matrix) islands.set(gpu, gpu);
  for (const { gpu, cells } of matrix) {
    cells.forEach((cell, at) => {
      const other = columns[at];
      if (other && /^\s*NV\d+\s*$/.test(cell)) join(islands, gpu, other.index);
    });
  }
  return new Map([...islands].map(([gpu, lowest]) => [gpu, `nvlink-${lowest}`]));
}

const gpuOf = (cell: string): { readonly index: number } | null => {
  const match = /^\s*GPU(\d+)\s*$/.exec(cell);
  return match === null ? null : { index: Number(match[1]) };
};

function join(islands: Map<number, number>, a: number, b: number): void {
  const one = islands.get(a);
  const other = islands.get(b);
  if (one === undefined || other === undefined || one === other) return;
  const [low, high] = [Math.min(one, other), Math.max(one, other)];
  for (const [gpu, island] of islands) if (island === high) islands.set(gpu, low);
}

/** The islands of a label such as `0-3;4-7`, by GPU index; null when it is not one. */
export function parseIslandLabel(text: string): ReadonlyMap<number, string> | null {
  const islands = new Map<number, string>();
  for (const part of text.split(";")) {
    const indexes = part.split(",").flatMap(indexesOf);
    if (indexes.some((index) => islands.has(index) || Number.isNaN(index))) return null;
    for (const index of indexes) islands.set(index, `island-${Math.min(...indexes)}`);
  }
  return islands;
}

function indexesOf(range: string): readonly number[] {
  const match = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(range);
  if (match === null) return [Number.NaN];
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  if (last < first) return [Number.NaN];
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** A GPU in MIG mode is offered as its slices, be there any or none. */
export function cutUp(
  gpus: readonly Gpu[],
  inMigMode: ReadonlySet<number>,
  slices: readonly MigSlice[],
): readonly Gpu[] {
  return gpus.flatMap((gpu): readonly Gpu[] => {
    if (!inMigMode.has(gpu.index)) return [gpu];
    const own = slices.filter((slice) => slice.gpu === gpu.index);
    return own.map(({ device, profile, uuid }) => ({
      index: SLICE_INDEX_BASE + gpu.index * SLICES_MAX + device,
      uuid,
      type: `${gpu.type} MIG ${profile}`,
      memoryMib: Number(/\.(\d+)gb/.exec(profile)?.[1] ?? 0) * MIB_PER_GB,
      island: "",
    }));
  });
}

/** GPUs with the islands that they are in; others keep what they have. */
export function withIslands(
  gpus: readonly Gpu[],
  islands: ReadonlyMap<number, string>,
): readonly Gpu[] {
  return gpus.map((gpu) => ({ ...gpu, island: islands.get(gpu.index) ?? gpu.island }));
}
