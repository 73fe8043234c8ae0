// A unit of work: what one group of operations reads and is going to write. Reads see what the group
// wrote before; nothing is in the store until the whole unit is committed at once. Owns the staging,
// not the rules.
//
// Why not read and write inside an LMDB transaction: lmdb-js commits what a transaction callback
// had written before it threw. A unit is just dropped.

import { encodeChunk } from "./core/chunk.ts";
import { PointBuffer } from "./core/points.ts";
import type { Run } from "./core/run.ts";
import {
  type AttemptHead,
  encodeSeriesHead,
  extendAttempt,
  type SeriesHead,
  withAttempt,
} from "./core/series.ts";
import type { BytesWrite, Counters, RequestRecord, RunWrite, StagedWrites } from "./records.ts";
import type { TrackerStore } from "./store.ts";

export class Unit {
  readonly nowMs: number;
  readonly #store: TrackerStore;
  readonly #runs = new Map<string, RunWrite>();
  readonly #series = new Map<string, SeriesStage>();
  readonly #positions = new Map<string, number>();
  readonly #requests = new Map<string, RequestRecord>();
  #forgotten: readonly (readonly [number, string])[] = [];
  readonly #forgottenSources = new Set<string>();
  #counters: Counters;

  constructor(store: TrackerStore, nowMs: number) {
    this.#store = store;
    this.nowMs = nowMs;
    this.#counters = store.counters();
  }

  run(id: string): Run | null {
    return this.#runs.get(id)?.run ?? this.#store.run(id);
  }

  putRun(run: Run): void {
    const staged = this.#runs.get(run.id);
    this.#runs.set(run.id, { before: staged ? staged.before : this.#store.run(run.id), run });
  }

  nextRunNo(): number {
    this.#counters = { ...this.#counters, run: this.#counters.run + 1 };
    return this.#counters.run;
  }

  /** Null when the run has no points of the metric yet. */
  series(runNo: number, metric: string): SeriesStage | null {
    const name = `${runNo} ${metric}`;
    const staged = this.#series.get(name);
    if (staged !== undefined) return staged;
    const head = this.#store.series(runNo, metric);
    if (head === null) return null;
    return this.#stage(name, [runNo, metric], head);
  }

  createSeries(runNo: number, metric: string): SeriesStage {
    this.#counters = { ...this.#counters, series: this.#counters.series + 1 };
    const head = { seriesNo: this.#counters.series, attempts: [] };
    return this.#stage(`${runNo} ${metric}`, [runNo, metric], head);
  }

  position(source: string): number {
    return this.#positions.get(source) ?? this.#store.position(source);
  }

  setPosition(source: string, position: number): void {
    this.#positions.set(source, position);
  }

  /** Forgets those of the next `limit` sources that `isDue` and that the unit stores nothing of. */
  forgetSources(limit: number, isDue: (source: string) => boolean): void {
    for (const source of this.#store.nextSources(limit)) {
      if (isDue(source)) this.#forgottenSources.add(source);
    }
  }

  request(id: string): RequestRecord | null {
    return this.#requests.get(id) ?? this.#store.request(id);
  }

  putRequest(id: string, record: RequestRecord): void {
    this.#requests.set(id, record);
  }

  /** Forgets up to `limit` of the requests that came before `timeMs`. */
  forgetRequests(timeMs: number, limit: number): void {
    this.#forgotten = this.#store.requestsBefore(timeMs, limit);
  }

  /** Null when there is nothing to commit. */
  writes(): StagedWrites | null {
    const changed =
      this.#runs.size + this.#series.size + this.#positions.size + this.#requests.size;
    if (changed === 0) return null;
    const packed = [...this.#series.values()].map((stage) => stage.pack());
    return {
      runs: [...this.#runs.values()],
      series: packed.map(({ head }) => head),
      chunks: packed.flatMap(({ chunks }) => chunks),
      positions: this.#positions,
      forgottenSources: [...this.#forgottenSources].filter((name) => !this.#positions.has(name)),
      requests: this.#requests,
      forgottenRequests: this.#forgotten,
      counters: this.#counters,
    };
  }

  #stage(name: string, key: readonly [number, string], head: SeriesHead): SeriesStage {
    const stage = new SeriesStage(this.#store, key, head);
    this.#series.set(name, stage);
    return stage;
  }
}

/** The open chunk of an attempt, with what the unit adds to it. */
interface OpenChunk {
  readonly points: PointBuffer;
  /** So many of the points are in the store. */
  readonly stored: number;
  /** Where the first of the points' chunks goes. */
  readonly index: number;
}

export class SeriesStage {
  readonly #store: TrackerStore;
  readonly #key: readonly [number, string];
  readonly #head: SeriesHead;
  readonly #open = new Map<number, OpenChunk>();

  constructor(store: TrackerStore, key: readonly [number, string], head: SeriesHead) {
    this.#store = store;
    this.#key = key;
    this.#head = head;
  }

  attempts(): number {
    return new Set([...this.#head.attempts.map((row) => row.attempt), ...this.#open.keys()]).size;
  }

  hasAttempt(attempt: number): boolean {
    return this.#open.has(attempt) || this.#row(attempt) !== null;
  }

  /** Where points of the attempt are pushed to; what is in it before is stored already. */
  points(attempt: number): PointBuffer {
    const open = this.#open.get(attempt) ?? this.#load(attempt);
    this.#open.set(attempt, open);
    return open.points;
  }

  pack(): { readonly head: BytesWrite; readonly chunks: readonly BytesWrite[] } {
    let head = this.#head;
    const chunks: BytesWrite[] = [];
    for (const [attempt, open] of this.#open) {
      const added = packChunks(head.seriesNo, attempt, open);
      const row = extendAttempt(this.#row(attempt), attempt, open.points, open.stored);
      head = withAttempt(head, { ...row, chunks: open.index + added.length });
      chunks.push(...added);
    }
    return { head: { key: this.#key, bytes: encodeSeriesHead(head) }, chunks };
  }

  #row(attempt: number): AttemptHead | null {
    return this.#head.attempts.find((row) => row.attempt === attempt) ?? null;
  }

  /** Only the last chunk is open: the ones before it are full and never touched again. */
  #load(attempt: number): OpenChunk {
    const row = this.#row(attempt);
    const points = new PointBuffer();
    if (row === null) return { points, stored: 0, index: 0 };
    const index = row.chunks - 1;
    this.#store.readChunk({ seriesNo: this.#head.seriesNo, attempt, index }, points);
    return { points, stored: points.length, index };
  }
}

function packChunks(seriesNo: number, attempt: number, open: OpenChunk): readonly BytesWrite[] {
  const chunks: BytesWrite[] = [];
  for (let from = 0; from < open.points.length; ) {
    const { bytes, count } = encodeChunk(open.points, from);
    chunks.push({ key: [seriesNo, attempt, open.index + chunks.length], bytes });
    from += count;
  }
  return chunks;
}
