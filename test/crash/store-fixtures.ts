// For tests: temp folders and rows. Not part of the program.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoreEnvironment, type StoreFormat } from "../../src/store/environment.ts";
import { EventLog } from "../../src/store/event-log.ts";
import { Snapshots } from "../../src/store/snapshots.ts";

export const FORMAT: StoreFormat = { name: "test", version: 1, migrations: new Map() };

export interface Note {
  readonly seq: number;
  readonly about: string | null;
  readonly text: string;
}

export function note(seq: number, about: string | null = null, text = `note ${seq}`): Note {
  return { seq, about, text };
}

export function notes(from: number, to: number): readonly Note[] {
  return Array.from({ length: to - from + 1 }, (_, offset) => note(from + offset));
}

/** A folder that is gone when `body` ends. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "trainyard-store-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface TestStore {
  readonly environment: StoreEnvironment;
  readonly log: EventLog<Note>;
  readonly snapshots: Snapshots;
  readonly unusable: string[];
}

/** Opens the store in `folder`, and closes it when `body` ends. */
export async function withStore<T>(
  folder: string,
  body: (store: TestStore) => Promise<T>,
): Promise<T> {
  const environment = await StoreEnvironment.open({ folder, format: FORMAT });
  const unusable: string[] = [];
  try {
    const snapshots = new Snapshots({
      environment,
      onUnusable: (seq, why) => unusable.push(`${seq}: ${why}`),
    });
    return await body({ environment, log: noteLog(environment), snapshots, unusable });
  } finally {
    await environment.close();
  }
}

export function noteLog(environment: StoreEnvironment): EventLog<Note> {
  return new EventLog({ environment, decode: decodeNote, indexKey: (row) => row.about });
}

function decodeNote(value: unknown): Note {
  const row = value as Partial<Note> | null;
  if (typeof row?.seq !== "number") throw new Error("it has no number");
  return { seq: row.seq, about: row.about ?? null, text: row.text ?? "" };
}
