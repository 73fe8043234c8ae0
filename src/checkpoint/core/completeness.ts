// When a checkpoint may be taken: its layout says that it is finished, nobody has it open for
// writing, and it has not changed for a while. No single one of these is enough.

import {
  type Candidate,
  folderOf,
  isMarker,
  isMetadata,
  isShard,
  isTorchFile,
  type ListedFile,
} from "./layouts.ts";

/** What the end of a file tells. */
export type FileEnd = "whole" | "torn" | "not_zip";

export interface Facts {
  /** For how long every listing has been the same; 0 = this is the first. */
  readonly unchangedForMs: number;
  /** Since the newest file was written, by the wall clock. */
  readonly sinceWriteMs: number;
  /** A process of the job holds a file of it open for writing. */
  readonly hasOpenWriter: boolean;
  /** Of the torch.save files, by path. A file that was not looked at counts as torn. */
  readonly ends: ReadonlyMap<string, FileEnd>;
  /** The processes are gone: nothing will change any more, and nothing will be finished either. */
  readonly isFinal: boolean;
}

export type Verdict =
  | { readonly kind: "complete" }
  | { readonly kind: "waiting"; readonly why: string; readonly forMs: number }
  /** Can only become complete by being written again. */
  | { readonly kind: "torn"; readonly why: string };

export interface QuietPeriods {
  /** When the files themselves show that they are finished. Default 500 ms. */
  readonly withEvidenceMs: number;
  /** When only silence speaks for it. Default 2 s. */
  readonly withoutMs: number;
}

export const QUIET_PERIODS: QuietPeriods = { withEvidenceMs: 500, withoutMs: 2_000 };

export function judge(candidate: Candidate, facts: Facts, quiet: QuietPeriods): Verdict {
  const { isFinal } = facts;
  const undone = (why: string): Verdict =>
    isFinal ? { kind: "torn", why } : { kind: "waiting", why, forMs: quiet.withEvidenceMs };
  if (facts.hasOpenWriter) return undone("a process is still writing to it");
  if (candidate.hasTemporary) return undone("it holds a temporary file");
  const stale = staleMetadata(candidate);
  if (stale !== null) return undone(`${stale} is older than its shards`);
  const evidence = evidenceOf(candidate, facts.ends);
  if (evidence.kind === "torn") return undone(`${evidence.path} ends in the middle`);
  return judgeSilence(evidence.kind, facts, quiet);
}

/**
 * After the end of the processes, a file that cannot show its end may have been cut off by that
 * very end, unless it lay still for long before. Shards are fine: the coordinator's metadata,
 * without which nothing is committed, was written after all of them.
 */
function judgeSilence(
  evidence: "finished" | "elsewhere" | "none",
  facts: Facts,
  quiet: QuietPeriods,
): Verdict {
  const neededMs = evidence === "finished" ? quiet.withEvidenceMs : quiet.withoutMs;
  if (facts.isFinal) {
    if (evidence !== "none" || facts.sinceWriteMs >= quiet.withoutMs) return { kind: "complete" };
    return { kind: "torn", why: "it was written just before the end and does not show its own" };
  }
  const leftMs = neededMs - facts.unchangedForMs;
  if (leftMs <= 0) return { kind: "complete" };
  return { kind: "waiting", why: "it changed a moment ago", forMs: leftMs };
}

type Evidence =
  | { readonly kind: "finished" }
  /** Shards without metadata: another node's part says whether all is there. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "none" }
  | { readonly kind: "torn"; readonly path: string };

function evidenceOf(candidate: Candidate, ends: ReadonlyMap<string, FileEnd>): Evidence {
  const { files } = candidate;
  const torch = files.filter(({ path }) => isTorchFile(path));
  const torn = torch.find(({ path }) => (ends.get(path) ?? "torn") === "torn");
  if (torn !== undefined) return { kind: "torn", path: torn.path };
  if (files.some(({ path }) => isMarker(path))) return { kind: "finished" };
  if (torch.some(({ path }) => ends.get(path) === "not_zip")) return { kind: "none" };
  const shardFolders = new Set(files.filter(({ path }) => isShard(path)).map(folder));
  const finished = new Set(files.filter(({ path }) => isMetadata(path)).map(folder));
  if (torch.length === 0 && shardFolders.size === 0 && finished.size === 0) return { kind: "none" };
  const isFinished = [...shardFolders].every((path) => finished.has(path));
  return { kind: isFinished ? "finished" : "elsewhere" };
}

const folder = ({ path }: ListedFile): string => folderOf(path);

/** An old `.metadata` beside newer shards: the folder is being written a second time. */
function staleMetadata({ files }: Candidate): string | null {
  const stale = files.find(
    (metadata) =>
      isMetadata(metadata.path) &&
      files.some(
        (shard) =>
          isShard(shard.path) &&
          folder(shard) === folder(metadata) &&
          shard.mtimeMs > metadata.mtimeMs,
      ),
  );
  return stale?.path ?? null;
}

const END_BYTES = 22;
const ZIP64_RECORDS_BYTES = 76;

/** How much of a file's end `zipEnd` wants to see. */
export const TAIL_BYTES = END_BYTES + ZIP64_RECORDS_BYTES;

/**
 * Whether a file written by torch.save is whole. It is a zip, whose table of contents comes last
 * and tells where it begins: a file that was cut off, or is still growing, does not add up.
 */
export function zipEnd(head: Uint8Array, tail: Uint8Array, sizeBytes: number): FileEnd {
  if (!hasSignature(head, 0, 0x03, 0x04)) return sizeBytes === 0 ? "torn" : "not_zip";
  const at = tail.length - END_BYTES;
  if (at < 0 || !hasSignature(tail, at, 0x05, 0x06)) return "torn";
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const tableBytes = view.getUint32(at + 12, true);
  const tableAt = view.getUint32(at + 16, true);
  if (tableBytes === 0xffffffff || tableAt === 0xffffffff) {
    return isZip64Whole(tail, view, sizeBytes) ? "whole" : "torn";
  }
  const restBytes = sizeBytes - END_BYTES - tableAt - tableBytes;
  return restBytes === 0 || restBytes === ZIP64_RECORDS_BYTES ? "whole" : "torn";
}

/** Above 4 GiB the numbers are in a record of their own, to which a locator points. */
function isZip64Whole(tail: Uint8Array, view: DataView, sizeBytes: number): boolean {
  const locatorAt = tail.length - END_BYTES - 20;
  const recordAt = locatorAt - 56;
  if (recordAt < 0 || !hasSignature(tail, locatorAt, 0x06, 0x07)) return false;
  if (!hasSignature(tail, recordAt, 0x06, 0x06)) return false;
  const tableBytes = view.getBigUint64(recordAt + 40, true);
  const tableAt = view.getBigUint64(recordAt + 48, true);
  return tableAt + tableBytes === BigInt(sizeBytes - TAIL_BYTES);
}

function hasSignature(bytes: Uint8Array, at: number, third: number, fourth: number): boolean {
  return (
    bytes[at] === 0x50 &&
    bytes[at + 1] === 0x4b &&
    bytes[at + 2] === third &&
    bytes[at + 3] === fourth
  );
}
