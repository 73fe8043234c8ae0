// Snapshots of a state, so that a start need not read the whole log. A snapshot is only ever a
// shortcut: it counts when its head row is there and its digest is right, else an older one or the
// log is used. Owns the tables `snapshot-heads` and `snapshot-chunks`.

import { createHash } from "node:crypto";
import { Fault } from "../base/errors.ts";
import { crashPoint } from "./crash-points.ts";
import type { StoreEnvironment, TextTable } from "./environment.ts";

export interface SnapshotRow {
  readonly key: string;
  /** JSON. */
  readonly value: unknown;
}

export interface SnapshotHead {
  /** The state is that after this event. */
  readonly seq: number;
  readonly atMs: number;
  readonly rows: number;
  readonly chunks: number;
  /** sha256 over the chunks, in lower-case hex. */
  readonly digest: string;
}

export interface LoadedSnapshot<State> {
  readonly head: SnapshotHead;
  readonly value: State;
}

export interface SnapshotsOptions {
  readonly environment: StoreEnvironment;
  /** Called for a snapshot that was not usable, with the reason. */
  readonly onUnusable: (seq: number, why: string) => void;
}

const SNAPSHOTS_KEPT = 2;
/** One transaction's worth: an append that waits behind it waits about a millisecond. */
const CHUNK_CHARS = 128 * 1024;

export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #heads: TextTable;
  readonly #chunks: TextTable;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#heads = options.environment.table("snapshot-heads");
    this.#chunks = options.environment.table("snapshot-chunks");
  }

  /**
   * Writes `rows` piece by piece, so that nobody waits long. They are asked for as the writing goes
   * on, and must be those of one moment all the same. Keeps this snapshot and the one before.
   * Throws `DATA_NOT_WRITTEN`.
   */
  async write(
    at: { seq: number; atMs: number },
    rows: Iterable<SnapshotRow>,
  ): Promise<SnapshotHead> {
    const hash = createHash("sha256");
    const { environment } = this.#options;
    await this.#remove(at.seq); // What a crash may have left of the same one.
    crashPoint("snapshot.before-rows");
    let chunks = 0;
    let count = 0;
    for (const chunk of encodeChunks(rows)) {
      hash.update(chunk.text);
      count += chunk.rows;
      await environment.commit(() => void this.#chunks.put([at.seq, chunks], chunk.text));
      chunks += 1;
      crashPoint("snapshot.between-rows");
    }
    const digest = hash.digest("hex");
    const head: SnapshotHead = { ...at, rows: count, chunks, digest };
    crashPoint("snapshot.before-head");
    await environment.commit(() => void this.#heads.put(at.seq, JSON.stringify(head)));
    crashPoint("snapshot.after-head");
    await this.#prune();
    return head;
  }

  /**
   * The newest snapshot, or the oldest, whose digest is right and that `decode` takes without a
   * throw; null when there is none.
   */
  load<State>(
    decode: (rows: readonly SnapshotRow[]) => State,
    first: "newest" | "oldest" = "newest",
  ): LoadedSnapshot<State> | null {
    for (const seq of first === "newest" ? this.seqs().toReversed() : this.seqs()) {
      try {
        const { head, rows } = this.#loadOne(seq);
        return { head, value: decode(rows) };
      } catch (error) {
        this.#options.onUnusable(seq, error instanceof Error ? error.message : String(error));
      }
    }
    return null;
  }

  /** Events that the snapshots cover, oldest first. */
  seqs(): readonly number[] {
    const seqs: number[] = [];
    for (const key of this.#heads.getKeys()) if (typeof key === "number") seqs.push(key);
    return seqs;
  }

  #loadOne(seq: number): { head: SnapshotHead; rows: readonly SnapshotRow[] } {
    const head = decodeHead(this.#heads.get(seq) ?? "");
    if (head === null) throw unusable(`the head of snapshot ${seq} is not readable`);
    const hash = createHash("sha256");
    const texts: string[] = [];
    for (let position = 0; position < head.chunks; position += 1) {
      const text = this.#chunks.get([seq, position]);
      if (text === undefined) throw unusable(`chunk ${position} of snapshot ${seq} is missing`);
      hash.update(text);
      texts.push(text);
    }
    const digest = hash.digest("hex");
    if (digest !== head.digest) {
      throw unusable(`snapshot ${seq} has digest ${digest}, written was ${head.digest}`);
    }
    return { head, rows: texts.flatMap(decodeChunk) };
  }

  async #prune(): Promise<void> {
    crashPoint("snapshot.before-prune");
    const kept = new Set(this.seqs().slice(-SNAPSHOTS_KEPT));
    const found = new Set<number>(this.seqs());
    for (const seq of this.#chunkSeqs()) found.add(seq); // Also those that never got a head.
    for (const seq of found) if (!kept.has(seq)) await this.#remove(seq);
  }

  #chunkSeqs(): readonly number[] {
    const seqs: number[] = [];
    // Jumps from snapshot to snapshot instead of passing over every chunk.
    for (let after = 0; ; ) {
      const [key] = [...this.#chunks.getKeys({ start: [after], limit: 1 })];
      if (!Array.isArray(key) || typeof key[0] !== "number") return seqs;
      seqs.push(key[0]);
      after = key[0] + 1;
    }
  }

  /** The head first: a snapshot without a head does not count. */
  async #remove(seq: number): Promise<void> {
    const { environment } = this.#options;
    if (this.#heads.doesExist(seq)) await environment.commit(() => void this.#heads.remove(seq));
    const keys = [...this.#chunks.getKeys({ start: [seq], end: [seq + 1] })];
    for (const key of keys) {
      if (Array.isArray(key)) await environment.commit(() => void this.#chunks.remove(key));
    }
  }
}

interface Chunk {
  readonly text: string;
  readonly rows: number;
}

/** Lines of `["key",value]`, about `CHUNK_CHARS` to a text; each is made when it is asked for. */
function* encodeChunks(rows: Iterable<SnapshotRow>): Generator<Chunk> {
  let lines = "";
  let count = 0;
  for (const row of rows) {
    lines += `${JSON.stringify([row.key, row.value])}\n`;
    count += 1;
    if (lines.length < CHUNK_CHARS) continue;
    yield { text: lines, rows: count };
    lines = "";
    count = 0;
  }
  if (count > 0) yield { text: lines, rows: count };
}

function decodeChunk(text: string): readonly SnapshotRow[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const pair: unknown = JSON.parse(line);
      if (!Array.isArray(pair) || typeof pair[0] !== "string") throw unusable("a row has no key");
      return { key: pair[0], value: pair[1] };
    });
}

function decodeHead(text: string): SnapshotHead | null {
  try {
    const head = JSON.parse(text) as Partial<SnapshotHead> | null;
    const { seq, atMs, rows, chunks, digest } = head ?? {};
    const isWhole =
      seq !== undefined && atMs !== undefined && rows !== undefined && chunks !== undefined;
    return isWhole && digest !== undefined ? { seq, atMs, rows, chunks, digest } : null;
  } catch {
    return null; // Not JSON: the caller goes on with an older one.
  }
}

function unusable(why: string): Fault {
  return new Fault("DATA_LOG_CORRUPT", why, { isRetryable: false });
}
