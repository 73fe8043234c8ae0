// The scheduler's data folder: the cluster's events and snapshots of the state. Owns the format of
// both; the loop decides what goes in and when.

import { StoreEnvironment, type StoreFormat } from "../store/environment.ts";
import { EventLog } from "../store/event-log.ts";
import { Notes } from "../store/notes.ts";
import { Snapshots } from "../store/snapshots.ts";
import { jobOfEvent, type LoggedEvent } from "./core/events.ts";

/** Version 1 is the first. A change of the events or the snapshot rows needs the next number. */
export const SCHEDULER_FORMAT: StoreFormat = {
  name: "trainyard-scheduler",
  version: 1,
  migrations: new Map(),
};

/** What the loop needs of it. */
export interface LoopStore {
  readonly log: Pick<
    EventLog<LoggedEvent>,
    "firstSeq" | "lastSeq" | "append" | "readPage" | "trimBefore"
  >;
  readonly snapshots: Pick<Snapshots, "load" | "write" | "seqs">;
}

export interface SchedulerStore extends LoopStore {
  /** Also reads a job's own events: `readIndexed(jobId, fromSeq, limit)`. */
  readonly log: EventLog<LoggedEvent>;
  /** Beside the log: nothing that is decided follows from it. */
  readonly notes: Notes;
  sizeBytes(): number;
  close(): Promise<void>;
}

export interface SchedulerStoreOptions {
  readonly folder: string;
  /** Told when a snapshot is passed over, with the reason. */
  readonly onWarning: (message: string) => void;
}

/** Throws a `Fault` that says what to do: see `StoreEnvironment.open`. */
export async function openSchedulerStore(options: SchedulerStoreOptions): Promise<SchedulerStore> {
  const environment = await StoreEnvironment.open({
    folder: options.folder,
    format: SCHEDULER_FORMAT,
  });
  return {
    log: new EventLog({
      environment,
      decode: decodeEvent,
      indexKey: (row) => jobOfEvent(row.event),
    }),
    snapshots: new Snapshots({
      environment,
      onUnusable: (seq, why) => {
        options.onWarning(`Snapshot ${seq} is not used: ${why}. An older one or the log is read.`);
      },
    }),
    notes: new Notes(environment),
    sizeBytes: () => environment.sizeBytes(),
    close: () => environment.close(),
  };
}

/** The rows were written by this program: their shape is looked at, not every field. */
export function decodeEvent(value: unknown): LoggedEvent {
  const row = value as Partial<LoggedEvent> | null;
  if (!Number.isInteger(row?.seq)) throw new Error("it has no number");
  if (!Number.isInteger(row?.atMs)) throw new Error("it has no time");
  if (typeof row?.event?.kind !== "string") throw new Error("it does not say what happened");
  return row as LoggedEvent;
}
