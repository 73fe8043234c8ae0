// What a node gets on restore: the files of all nodes. Sharded checkpoints are read by offset, so
// every rank may need every shard, and files that only the coordinator wrote are needed everywhere.

import { type Refusal, refuse } from "../../base/errors.ts";
import { compareText } from "../../base/ids.ts";
import type { PartDocument, StoredFile } from "./documents.ts";

/**
 * One path, one file. Where tasks wrote different bytes under one name (random states, a `latest`
 * pointer), the lowest rank's stay in place and another's go to `node-<rank>/<path>`. By path.
 */
export function unionOf(parts: readonly PartDocument[]): readonly StoredFile[] {
  const files = new Map<string, StoredFile>();
  const folders = new Set<string>();
  const isFree = (path: string): boolean =>
    !files.has(path) && !folders.has(path) && foldersOf(path).every((above) => !files.has(above));
  const add = (file: StoredFile): void => {
    files.set(file.path, file);
    for (const folder of foldersOf(file.path)) folders.add(folder);
  };
  const byRank = [...parts].sort((a, b) => a.rank - b.rank);
  for (const { rank, files: own } of byRank) {
    for (const file of own) {
      if (files.get(file.path)?.digest === file.digest) continue;
      let path = file.path;
      for (let folder = `node-${rank}`; !isFree(path); folder += "+")
        path = `${folder}/${file.path}`;
      add({ ...file, path });
    }
  }
  return [...files.values()].sort((a, b) => compareText(a.path, b.path));
}

function foldersOf(path: string): readonly string[] {
  const segments = path.split("/");
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join("/"));
}

/**
 * Whether the parts make a whole: shards need the metadata that was written after all of them, and
 * everything that metadata speaks of must be there. Null = whole.
 */
export function whatIsMissing(parts: readonly PartDocument[]): Refusal | null {
  const present = new Set(parts.flatMap(({ files }) => files.map(({ path }) => path)));
  if (present.size === 0) {
    const remedy = "Wait for the next checkpoint.";
    return refuse("STORE_CORRUPT", "No node has stored a file.", remedy, "parts");
  }
  for (const { rank, requires } of parts) {
    const missing = requires.find((path) => !present.has(path));
    if (missing === undefined) continue;
    const message = `Rank ${rank}'s metadata speaks of ${missing}, which no node has stored.`;
    return refuse("STORE_CORRUPT", message, "Wait for the next checkpoint.", "parts");
  }
  const isSharded = parts.some(({ layout }) => layout === "dcp");
  const hasMetadata = [...present].some((path) => /(?:^|\/)\.metadata$/.test(path));
  if (isSharded && !hasMetadata) {
    const message = "No node has stored .metadata, which is written after all shards.";
    return refuse("STORE_CORRUPT", message, "Wait for the next checkpoint.", "parts");
  }
  return null;
}

/**
 * Names of the shards that DCP's `.metadata` (a pickle, in which names are plain text) speaks of.
 */
export function shardNamesIn(metadata: string): readonly string[] {
  return [...new Set(metadata.match(/__\d+_\d+\.distcp/g) ?? [])].sort(compareText);
}
