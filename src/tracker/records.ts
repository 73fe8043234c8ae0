// What one commit writes, as plain data: the form in which a unit of work hands it to the store.

import type { Run } from "./core/run.ts";

/** What a request id was used for. */
export interface RequestRecord {
  readonly fingerprint: string;
  readonly runId: string;
  readonly atMs: number;
}

/** Highest run and series numbers given. */
export interface Counters {
  readonly run: number;
  readonly series: number;
}

export interface RunWrite {
  /** Null when the run is new. */
  readonly before: Run | null;
  readonly run: Run;
}

export interface BytesWrite {
  readonly key: readonly (string | number)[];
  readonly bytes: Uint8Array;
}

export interface StagedWrites {
  readonly runs: readonly RunWrite[];
  readonly series: readonly BytesWrite[];
  readonly chunks: readonly BytesWrite[];
  readonly positions: ReadonlyMap<string, number>;
  readonly forgottenSources: readonly string[];
  readonly requests: ReadonlyMap<string, RequestRecord>;
  readonly forgottenRequests: readonly (readonly [number, string])[];
  readonly counters: Counters;
}
