// Which files in a checkpoint folder belong together, and to which step. Looks at names and sizes
// only; whether a candidate is complete is `completeness.ts`'s question.

import { compareText } from "../../base/ids.ts";
import { isTemporaryName, matchesPattern, stepOfName } from "./step-name.ts";

/** A regular file below the checkpoint folder. */
export interface ListedFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly inode: number;
}

export type LayoutKind = "torch" | "dcp" | "marked" | "files";

export interface Candidate {
  /** The same for every listing in which it is seen: `step-30`, or `unnamed`. */
  readonly key: string;
  /** Null when no name tells one: it is counted up then. */
  readonly step: number | null;
  readonly layout: LayoutKind;
  /** By path. */
  readonly files: readonly ListedFile[];
  /** Something in it says that it is not finished. */
  readonly hasTemporary: boolean;
}

/** A script may write this last into a checkpoint's folder, as JSON: `{"step": 30}`. */
export const COMPLETE_MARKER = ".trainyard-complete";

const TORCH_FILE = /\.(?:pt|pth|ckpt|bin)$/i;
const SHARD_FILE = /^__\d+_\d+\.distcp$/;
const METADATA = ".metadata";

export function isTorchFile(path: string): boolean {
  return TORCH_FILE.test(path);
}

export function isShard(path: string): boolean {
  return SHARD_FILE.test(nameOf(path));
}

export function isMetadata(path: string): boolean {
  return nameOf(path) === METADATA;
}

export function isMarker(path: string): boolean {
  return nameOf(path) === COMPLETE_MARKER;
}

export interface Search {
  readonly files: readonly ListedFile[];
  /** Empty = the known layouts. */
  readonly patterns: readonly string[];
  /** What the markers say, by the folder that holds one; null = no usable step in it. */
  readonly markers: ReadonlyMap<string, number | null>;
}

/**
 * The candidates in a folder, lowest step first. All files that tell the same step are one
 * candidate: `step-30/`, `optim_30.pt` and `ema_30.pt` were saved together. Files that tell none
 * are one more, and only when no name tells a step: beside `step-30.ckpt`, a `last.ckpt` is a copy.
 */
export function findCandidates(search: Search): readonly Candidate[] {
  const named = new Map<number, ListedFile[]>();
  const unnamed: ListedFile[] = [];
  const roots = rootsOf(search);
  for (const file of search.files) {
    const root = rootOf(file.path, roots, search.patterns);
    if (root === null) continue;
    const step = roots.get(root) ?? stepOfName(nameOf(root));
    if (step === null) unnamed.push(file);
    else named.set(step, [...(named.get(step) ?? []), file]);
  }
  if (named.size === 0) return unnamed.length === 0 ? [] : [candidateOf("unnamed", null, unnamed)];
  return [...named]
    .sort(([a], [b]) => a - b)
    .map(([step, files]) => candidateOf(`step-${step}`, step, files));
}

/** Folders that are a checkpoint as a whole, with their step. */
function rootsOf({ files, markers }: Search): ReadonlyMap<string, number | null> {
  const roots = new Map<string, number | null>();
  for (const { path } of files) {
    const folder = folderOf(path);
    if (!isShard(path) && !isMetadata(path) && !isMarker(path)) continue;
    roots.set(folder, markers.get(folder) ?? stepOfName(nameOf(folder)));
  }
  return roots;
}

/**
 * The outermost folder on the way to a file that is a checkpoint, or the file itself when it is
 * one. Null = no checkpoint file, or under a temporary name.
 */
function rootOf(
  path: string,
  roots: ReadonlyMap<string, number | null>,
  patterns: readonly string[],
): string | null {
  const segments = path.split("/");
  if (segments.length === 1 && roots.has("") && !isTemporaryName(path)) return "";
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const at = segments.slice(0, depth).join("/");
    const name = nameOf(at);
    if (isTemporaryName(name) || (name.startsWith(".") && depth < segments.length)) return null;
    const isFolder = depth < segments.length;
    if (patterns.length > 0) {
      if (patterns.some((pattern) => matchesPattern(at, pattern))) return at;
    } else if (isFolder) {
      if (roots.has(at) || stepOfName(name) !== null) return at;
    } else if (isTorchFile(at)) return at;
  }
  return null;
}

function candidateOf(key: string, step: number | null, all: readonly ListedFile[]): Candidate {
  const isNotYet = ({ path }: ListedFile): boolean => path.split("/").some(isTemporaryName);
  const files = all.filter((file) => !isNotYet(file)).sort((a, b) => compareText(a.path, b.path));
  return { key, step, layout: layoutOf(files), files, hasTemporary: all.some(isNotYet) };
}

function layoutOf(files: readonly ListedFile[]): LayoutKind {
  if (files.some(({ path }) => isMarker(path))) return "marked";
  if (files.some(({ path }) => isShard(path) || isMetadata(path))) return "dcp";
  return files.some(({ path }) => isTorchFile(path)) ? "torch" : "files";
}

/** Equal for two listings between which nothing was written. */
export function signatureOf(candidate: Candidate): string {
  return candidate.files
    .map(({ path, sizeBytes, mtimeMs, inode }) => `${path}\0${sizeBytes}\0${mtimeMs}\0${inode}`)
    .join("\n");
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function folderOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "" : path.slice(0, at);
}
