// The two documents that a checkpoint consists of in the object store, beside its blobs. A part
// document says what one task stored; the manifest names the part documents of the whole gang by
// their digests. Both are canonical JSON: the same content is the same bytes, so a digest names it.

import { type Refusal, refuse } from "../../base/errors.ts";
import {
  type CheckpointId,
  checkpointId,
  compareText,
  type Digest,
  digest,
  type JobId,
  jobId,
} from "../../base/ids.ts";
import type { LayoutKind } from "./layouts.ts";
import { type Fields, isRefusal, readFields } from "./json-fields.ts";

export const DOCUMENT_VERSION = 1;
export const FILES_MAX = 200_000;
/** The largest gang. */
const RANKS_MAX = 4096;
export const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024;

export interface StoredFile {
  /** Below the checkpoint folder, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly digest: Digest;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
}

export interface PartDocument {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
  readonly step: number;
  readonly layout: LayoutKind;
  /** By path. Empty for a task that wrote nothing of its own. */
  readonly files: readonly StoredFile[];
  /** Paths that the metadata in this part speaks of: some part must have each of them. */
  readonly requires: readonly string[];
}

export interface ManifestPart {
  readonly rank: number;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface Manifest {
  readonly jobId: JobId;
  readonly checkpointId: CheckpointId;
  readonly attempt: number;
  readonly step: number;
  /** By rank. Ranks that had nothing of their own may be absent. */
  readonly parts: readonly ManifestPart[];
}

export function encodePart(part: PartDocument): string {
  const { jobId, attempt, rank, step, layout } = part;
  const files = [...part.files]
    .sort((a, b) => compareText(a.path, b.path))
    .map(({ path, sizeBytes, digest, mode }) => ({ path, sizeBytes, digest, mode }));
  const requires = [...part.requires].sort(compareText);
  const version = DOCUMENT_VERSION;
  return JSON.stringify({ version, jobId, attempt, rank, step, layout, files, requires });
}

export function encodeManifest(manifest: Manifest): string {
  const { jobId, checkpointId, attempt, step } = manifest;
  const parts = [...manifest.parts]
    .sort((a, b) => a.rank - b.rank)
    .map(({ rank, digest, sizeBytes }) => ({ rank, digest, sizeBytes }));
  const version = DOCUMENT_VERSION;
  return JSON.stringify({ version, jobId, checkpointId, attempt, step, parts });
}

const LAYOUTS: readonly LayoutKind[] = ["torch", "dcp", "marked", "files"];

/** Strict: an unknown version, a path that leaves the folder or a repeated one is a refusal. */
export function decodePart(text: string): PartDocument | Refusal {
  return readDocument("part document", text, encodePart, (fields) => ({
    jobId: jobId(fields.text("jobId")),
    attempt: fields.count("attempt"),
    rank: fields.count("rank"),
    step: fields.count("step"),
    layout: fields.oneOf("layout", LAYOUTS),
    files: checkFiles(fields, fields.list("files", FILES_MAX, decodeFile)),
    requires: fields.texts("requires", FILES_MAX).map((path) => checkPath(fields, path)),
  }));
}

export function decodeManifest(text: string): Manifest | Refusal {
  return readDocument("manifest", text, encodeManifest, (fields) => ({
    jobId: jobId(fields.text("jobId")),
    checkpointId: checkpointId(fields.text("checkpointId")),
    attempt: fields.count("attempt"),
    step: fields.count("step"),
    parts: checkRanks(
      fields,
      fields.list("parts", RANKS_MAX, (part) => ({
        rank: part.count("rank"),
        digest: decodeDigest(part),
        sizeBytes: part.count("sizeBytes"),
      })),
    ),
  }));
}

function readDocument<T>(
  what: string,
  text: string,
  encode: (value: T) => string,
  decode: (fields: Fields) => T,
): T | Refusal {
  const value = readFields(what, text, (fields) => {
    const version = fields.count("version");
    if (version !== DOCUMENT_VERSION) {
      fields.fail("version", `is ${version}, and this program knows only ${DOCUMENT_VERSION}`);
    }
    return decode(fields);
  });
  if (isRefusal(value) || encode(value) === text) return value;
  const message = `The ${what} has unknown fields or another order than it was written with.`;
  return refuse("STORE_CORRUPT", message, "Restore from an older checkpoint.");
}

function decodeFile(fields: Fields): StoredFile {
  return {
    path: checkPath(fields, fields.text("path")),
    sizeBytes: fields.count("sizeBytes"),
    digest: decodeDigest(fields),
    mode: fields.count("mode", 0o777),
  };
}

function decodeDigest(fields: Fields): Digest {
  const text = fields.text("digest");
  if (!/^[0-9a-f]{64}$/.test(text)) fields.fail("digest", "is not a sha256");
  return digest(text);
}

function checkPath(fields: Fields, path: string): string {
  if (!isSafePath(path)) fields.fail("path", `${JSON.stringify(path)} leaves the folder`);
  return path;
}

/** Ascending and unique, since the encoding is sorted. */
function checkFiles(fields: Fields, files: readonly StoredFile[]): readonly StoredFile[] {
  for (const [index, file] of files.entries()) {
    const before = files[index - 1];
    if (before !== undefined && compareText(before.path, file.path) >= 0) {
      fields.fail("files", `has ${JSON.stringify(file.path)} twice or out of order`);
    }
  }
  return files;
}

function checkRanks(fields: Fields, parts: readonly ManifestPart[]): readonly ManifestPart[] {
  for (const [index, part] of parts.entries()) {
    const before = parts[index - 1];
    if (before !== undefined && before.rank >= part.rank) {
      fields.fail("parts", `has rank ${part.rank} twice or out of order`);
    }
  }
  return parts;
}

const PATH_LENGTH_MAX = 4096;

/** Relative, and going nowhere but down. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.length > PATH_LENGTH_MAX) return false;
  if (path.includes("\0") || path.includes("\\")) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}
