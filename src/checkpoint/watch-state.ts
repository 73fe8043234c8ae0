// What a watch remembers across an agent's restart: the parts that are stored already. A small file
// beside the staging folders; losing it costs a second upload and nothing else.

import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { type Digest, digest } from "../base/ids.ts";
import { errnoOf, localIo } from "../objects/faults.ts";
import { type Fields, isRefusal, readFields } from "./core/json-fields.ts";

export interface StoredEntry {
  readonly key: string;
  /** sha256 of the listing that was stored. */
  readonly signature: Digest;
  readonly part: StoredPart;
  readonly blobs: readonly Digest[];
}

/** One checkpoint of which this task's files are in the object store. */
export interface StoredPart {
  readonly step: number;
  readonly takenAtMs: number;
  /** sha256 of the part document. */
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** What went over the wire; the rest was in the store already. */
  readonly uploadedBytes: number;
}

export interface WatchState {
  /** `job/attempt/rank`: the state of another task is no state. */
  readonly task: string;
  /** The highest step given to a checkpoint without one; 0 = none yet. */
  readonly countedStep: number;
  /** Oldest first; the newest few. */
  readonly stored: readonly StoredEntry[];
}

const ENTRIES_KEPT = 8;
const BLOBS_MAX = 200_000;

export async function loadWatchState(path: string, task: string): Promise<WatchState> {
  const fresh: WatchState = { task, countedStep: 0, stored: [] };
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) !== null) return fresh;
    throw error;
  }
  const state = readFields("watch state", text, decodeState);
  return isRefusal(state) || state.task !== task ? fresh : state;
}

export async function saveWatchState(path: string, state: WatchState): Promise<void> {
  const kept: WatchState = { ...state, stored: state.stored.slice(-ENTRIES_KEPT) };
  await localIo("write", path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(`${path}.tmp`, "w", 0o600);
    try {
      await file.writeFile(JSON.stringify(kept));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
  });
}

function decodeState(fields: Fields): WatchState {
  return {
    task: fields.text("task"),
    countedStep: fields.count("countedStep"),
    stored: fields.list("stored", ENTRIES_KEPT, (entry) => ({
      key: entry.text("key"),
      signature: digest(entry.text("signature")),
      part: entry.object("part", decodeStoredPart),
      blobs: entry.texts("blobs", BLOBS_MAX).map(digest),
    })),
  };
}

function decodeStoredPart(fields: Fields): StoredPart {
  return {
    step: fields.count("step"),
    takenAtMs: fields.count("takenAtMs"),
    digest: digest(fields.text("digest")),
    sizeBytes: fields.count("sizeBytes"),
    uploadedBytes: fields.count("uploadedBytes"),
  };
}
