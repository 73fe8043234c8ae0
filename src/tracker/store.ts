// The tracker's tables in LMDB: runs, series heads, chunks, source positions, request ids. Owns keys
// and how values are written down. Reads one value at a time, so that no read transaction stays open
// (that would stop LMDB from using its free pages again); decides nothing.
//
//   runs               run id                       the run, JSON
//   runs-by-no         no                           run id
//   runs-by-experiment [experiment, no]             run id
//   open-job-runs      run id                       "" for runs whose job has not ended
//   series             [run no, metric]             series head (core/series.ts)
//   chunks             [series no, attempt, index]  points (core/chunk.ts)
//   sources            source                       position up to which it is stored
//   requests           request id                   what it did, JSON
//   requests-by-time   [received at, request id]    "" to forget old ones in order
//   counters           name                         last number given
//
// 100,000 runs of one experiment list in about a millisecond a page: an index by number and the
// documents, no scan.

import { assert } from "../base/assert.ts";
import { Fault } from "../base/errors.ts";
import { type BinaryTable, StoreEnvironment, type TextTable } from "../store/environment.ts";
import { decodeChunk, summarizeChunk } from "./core/chunk.ts";
import type { PointBuffer } from "./core/points.ts";
import { decodeRun, encodeRun, isEndStatus, type Run } from "./core/run.ts";
import { decodeSeriesHead, type SeriesHead } from "./core/series.ts";
import type { Counters, RequestRecord, StagedWrites } from "./records.ts";

const FORMAT = { name: "tracker", version: 1, migrations: new Map() };

export interface NamedSeries {
  readonly metric: string;
  readonly head: SeriesHead;
}

export interface ChunkId {
  readonly seriesNo: number;
  readonly attempt: number;
  /** From 0, in the order of arrival. */
  readonly index: number;
}

/** Both inclusive. */
export interface StepBounds {
  readonly from: number;
  readonly to: number;
}

const ALL_STEPS: StepBounds = { from: -Infinity, to: Infinity };

export class TrackerStore {
  readonly #environment: StoreEnvironment;
  readonly #runs: TextTable;
  readonly #runsByNo: TextTable;
  readonly #runsByExperiment: TextTable;
  readonly #openJobRuns: TextTable;
  readonly #sources: TextTable;
  readonly #requests: TextTable;
  readonly #requestsByTime: TextTable;
  readonly #counters: TextTable;
  readonly #series: BinaryTable;
  readonly #chunks: BinaryTable;
  /** Where `nextSources` goes on. */
  #sourcesFrom = "";

  private constructor(environment: StoreEnvironment) {
    this.#environment = environment;
    this.#runs = environment.table("runs");
    this.#runsByNo = environment.table("runs-by-no");
    this.#runsByExperiment = environment.table("runs-by-experiment");
    this.#openJobRuns = environment.table("open-job-runs");
    this.#sources = environment.table("sources");
    this.#requests = environment.table("requests");
    this.#requestsByTime = environment.table("requests-by-time");
    this.#counters = environment.table("counters");
    this.#series = environment.binaryTable("series");
    this.#chunks = environment.binaryTable("chunks");
  }

  /** Throws `DATA_FOLDER_IN_USE`, `DATA_FORMAT_UNKNOWN` or `DATA_NOT_WRITTEN`. */
  static async open(folder: string): Promise<TrackerStore> {
    assert(isLittleEndian(), "the tracker runs on little-endian hosts only");
    return new TrackerStore(await StoreEnvironment.open({ folder, format: FORMAT }));
  }

  run(id: string): Run | null {
    const text = this.#runs.get(id);
    return text === undefined ? null : decodeRun(text);
  }

  /** Newest first; only runs made before run number `beforeNo`. Null = of every experiment. */
  listRuns(experiment: string | null, beforeNo: number, limit: number): readonly Run[] {
    const ids =
      experiment === null
        ? this.#runsByNo.getRange({ start: beforeNo, exclusiveStart: true, reverse: true, limit })
        : this.#runsByExperiment.getRange({
            start: [experiment, beforeNo],
            exclusiveStart: true,
            end: [experiment, 0],
            reverse: true,
            limit,
          });
    return [...ids].map(({ value }) => value).flatMap((id) => this.run(id) ?? []);
  }

  openJobRuns(): readonly string[] {
    return [...this.#openJobRuns.getKeys()].map(String);
  }

  series(runNo: number, metric: string): SeriesHead | null {
    const bytes = readBytes(this.#series, [runNo, metric]);
    return bytes === null ? null : decodeSeriesHead(bytes);
  }

  /** In the order of the metrics' names. */
  seriesOfRun(runNo: number): readonly NamedSeries[] {
    const range = this.#series.getRange({ start: [runNo], end: [runNo + 1] });
    return [...range].map(({ key, value }) => ({
      metric: metricOfKey(key),
      head: decodeSeriesHead(value),
    }));
  }

  /** The first `limit` of their names. */
  metricsOfRun(runNo: number, limit: number): readonly string[] {
    const some = Number.isFinite(limit) ? { limit } : {};
    return [...this.#series.getKeys({ start: [runNo], end: [runNo + 1], ...some })].map(
      metricOfKey,
    );
  }

  /**
   * Appends a chunk's points to `into`, unless none of them lies within the steps asked for.
   * Returns how many the chunk holds.
   */
  readChunk(id: ChunkId, into: PointBuffer, steps: StepBounds = ALL_STEPS): number {
    const bytes = readBytes(this.#chunks, [id.seriesNo, id.attempt, id.index]);
    if (bytes === null) {
      const message = `chunk ${JSON.stringify(id)} is missing from the tracker's store`;
      throw new Fault("TRACKER_DATA_CORRUPT", message, { isRetryable: false });
    }
    const { count, stepMin, stepMax } = summarizeChunk(bytes);
    if (stepMax >= steps.from && stepMin <= steps.to) decodeChunk(bytes, into);
    return count;
  }

  /** 0 for a source that nothing was stored of. */
  position(source: string): number {
    return Number(this.#sources.get(source) ?? 0);
  }

  /** The next few in the order of their names, round and round. */
  nextSources(limit: number): readonly string[] {
    const found = [...this.#sources.getKeys({ start: this.#sourcesFrom, limit })].map(String);
    const last = found.at(-1);
    this.#sourcesFrom = found.length < limit || last === undefined ? "" : `${last}\0`;
    return found;
  }

  request(id: string): RequestRecord | null {
    const text = this.#requests.get(id);
    return text === undefined ? null : (JSON.parse(text) as RequestRecord);
  }

  requestsBefore(timeMs: number, limit: number): readonly (readonly [number, string])[] {
    const keys = this.#requestsByTime.getKeys({ end: [timeMs], limit });
    return [...keys].map((key) => key as [number, string]);
  }

  counters(): Counters {
    const last = (name: string): number => Number(this.#counters.get(name) ?? 0);
    return { run: last("run"), series: last("series") };
  }

  /** One transaction. Resolves when it is on disk; throws `DATA_NOT_WRITTEN`, and stored nothing. */
  commit(writes: StagedWrites): Promise<void> {
    return this.#environment.commit(() => {
      for (const { before, run } of writes.runs) this.#putRun(before, run);
      for (const { key, bytes } of writes.series) void this.#series.put([...key], bytes);
      for (const { key, bytes } of writes.chunks) void this.#chunks.put([...key], bytes);
      for (const [source, position] of writes.positions)
        void this.#sources.put(source, `${position}`);
      for (const source of writes.forgottenSources) void this.#sources.remove(source);
      for (const [id, record] of writes.requests) this.#putRequest(id, record);
      for (const key of writes.forgottenRequests) this.#removeRequest(key);
      void this.#counters.put("run", `${writes.counters.run}`);
      void this.#counters.put("series", `${writes.counters.series}`);
    });
  }

  /** Size of the data file, in bytes. */
  sizeBytes(): number {
    return this.#environment.sizeBytes();
  }

  close(): Promise<void> {
    return this.#environment.close();
  }

  #putRun(before: Run | null, run: Run): void {
    void this.#runs.put(run.id, encodeRun(run));
    if (before === null) void this.#runsByNo.put(run.no, run.id);
    if (before !== null && before.experiment !== run.experiment) {
      void this.#runsByExperiment.remove([before.experiment, before.no]);
    }
    if (before?.experiment !== run.experiment) {
      void this.#runsByExperiment.put([run.experiment, run.no], run.id);
    }
    const isOpenJob = run.origin === "job" && !isEndStatus(run.status);
    if (isOpenJob) void this.#openJobRuns.put(run.id, "");
    else void this.#openJobRuns.remove(run.id);
  }

  #putRequest(id: string, record: RequestRecord): void {
    void this.#requests.put(id, JSON.stringify(record));
    void this.#requestsByTime.put([record.atMs, id], "");
  }

  #removeRequest([atMs, id]: readonly [number, string]): void {
    void this.#requests.remove(id);
    void this.#requestsByTime.remove([atMs, id]);
  }
}

/**
 * Without a copy: good until the next read. lmdb-js answers with one large buffer of its own whose
 * `length` it overwrites and whose `byteLength` it cannot, so a true view of it is taken.
 */
function readBytes(table: BinaryTable, key: (string | number)[]): Uint8Array | null {
  const bytes = table.getBinaryFast(key);
  return bytes === undefined ? null : bytes.subarray(0, bytes.length);
}

function metricOfKey(key: unknown): string {
  return Array.isArray(key) ? String(key[1]) : "";
}

function isLittleEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}
