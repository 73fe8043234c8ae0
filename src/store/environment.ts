// One LMDB environment in a folder: opened by one process, of a known format, with durable commits.
// Knows nothing of what is stored in it.
//
// `overlappingSync` is off on purpose: with it lmdb-js makes a commit visible before it is on disk.
// Without it the writer thread runs LMDB's own order (data pages, fdatasync, meta page through an
// O_DSYNC descriptor) and only then resolves, which `environment.test.ts` holds on to.

import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { assert } from "../base/assert.ts";
import { Fault } from "../base/errors.ts";
import { type Ownership, takeOwnership } from "./owner.ts";
import { writeFault } from "./write-fault.ts";

/** What a folder holds and how it came to be. */
export interface StoreFormat {
  /** Kind of store, such as `scheduler`: one kind's folder is never opened as another's. */
  readonly name: string;
  /** Counts up from 1. */
  readonly version: number;
  /** Key n brings a store of version n to n + 1; runs in one transaction with the new number. */
  readonly migrations: ReadonlyMap<number, (tables: Tables) => void>;
}

/** Opens a table of text values, in key order; made when it is not there. */
export type Tables = (name: string) => TextTable;

export type TextTable = Database<string, string | number | (string | number)[]>;

export interface StoreOptions {
  readonly folder: string;
  readonly format: StoreFormat;
}

/** The same with bytes as values. */
export type BinaryTable = Database<Uint8Array, string | number | (string | number)[]>;

const TABLES_MAX = 32;
const DATA_FILE = "data.mdb";

export class StoreEnvironment {
  readonly folder: string;
  readonly table: Tables;
  readonly binaryTable: (name: string) => BinaryTable;
  readonly #root: RootDatabase<string, string>;
  /** Null = only reads. */
  readonly #ownership: Ownership | null;

  private constructor(
    folder: string,
    root: RootDatabase<string, string>,
    ownership: Ownership | null,
  ) {
    this.folder = folder;
    this.#root = root;
    this.#ownership = ownership;
    this.table = (name) => root.openDB({ name, encoding: "string" });
    this.binaryTable = (name) => root.openDB({ name, encoding: "binary" });
  }

  /**
   * Throws `DATA_FOLDER_IN_USE` when another process has it, `DATA_FORMAT_UNKNOWN` when it was
   * written by a newer version, `DATA_NOT_WRITTEN` when it cannot be opened at all.
   */
  static async open(options: StoreOptions): Promise<StoreEnvironment> {
    const { folder, format } = options;
    makeFolder(folder);
    const ownership = await takeOwnership(folder);
    let environment: StoreEnvironment;
    try {
      environment = new StoreEnvironment(folder, openRoot(folder, false), ownership);
    } catch (error) {
      await ownership.release();
      throw error;
    }
    try {
      await settleFormat(environment, format);
      return environment;
    } catch (error) {
      await environment.close();
      throw error;
    }
  }

  /**
   * For reading beside a process that may have it open and write: sees what is committed.
   * Throws `LOCAL_FILE` when there is no store, `DATA_FORMAT_UNKNOWN` when it is of another version.
   */
  static async openToRead({ folder, format }: StoreOptions): Promise<StoreEnvironment> {
    if (!existsSync(join(folder, DATA_FILE))) {
      const message = `${folder} has no ${DATA_FILE}: it is no data folder of trainyard.`;
      throw new Fault("LOCAL_FILE", message, { isRetryable: false });
    }
    const environment = new StoreEnvironment(folder, openRoot(folder, true), null);
    const text = environment.table("meta").get(FORMAT_KEY) ?? "";
    const found = decodeFormat(text);
    if (found?.name === format.name && found.version === format.version) return environment;
    await environment.close();
    throw unknownFormat(folder, text, format);
  }

  /**
   * One transaction with everything that `write` puts and removes. Resolves when it is on disk;
   * throws `DATA_NOT_WRITTEN`, and then none of it is there.
   */
  async commit(write: () => void): Promise<void> {
    try {
      await this.#root.batch(write);
    } catch (error) {
      throw await writeFault(error, this.folder);
    }
  }

  /** The same at once, holding up the event loop: for start-up. `write` may read what it wrote. */
  commitSync(write: () => void): void {
    this.#root.transactionSync(write);
  }

  /** Size of the data file, in bytes. It never shrinks; freed pages are used again. */
  sizeBytes(): number {
    return statSync(join(this.folder, DATA_FILE)).size;
  }

  async close(): Promise<void> {
    await this.#root.close();
    await this.#ownership?.release();
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault("DATA_NOT_WRITTEN", `Data folder ${folder} cannot be made: ${why}.`, {
      cause,
      isRetryable: false,
    });
  }
}

const MAGIC = 0xbeefc0de;
const MAGIC_OFFSET_BYTES = 24;

/** LMDB ends the whole process at a file that is not its own, so it is looked at before. */
function refuseForeignFile(folder: string): void {
  const path = join(folder, DATA_FILE);
  if (!existsSync(path) || statSync(path).size === 0) return;
  const fd = openSync(path, "r");
  try {
    const start = Buffer.alloc(MAGIC_OFFSET_BYTES + 4);
    const isWhole = readSync(fd, start) === start.length;
    if (isWhole && start.readUInt32LE(MAGIC_OFFSET_BYTES) === MAGIC) return;
  } finally {
    closeSync(fd);
  }
  throw new Error(`${DATA_FILE} is no LMDB file`);
}

function openRoot(folder: string, readOnly: boolean): RootDatabase<string, string> {
  try {
    refuseForeignFile(folder);
    return open({
      path: folder,
      readOnly,
      noSubdir: false,
      overlappingSync: false,
      encoding: "string",
      maxDbs: TABLES_MAX,
      // Batches are made explicitly; waiting for the end of the event turn only adds latency.
      eventTurnBatching: false,
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault(
      "DATA_NOT_WRITTEN",
      `Data folder ${folder} cannot be opened as an LMDB store: ${why}. Look at its owner, the ` +
        "free space and that it is on a local file system; or restore it from a backup.",
      { cause, isRetryable: false },
    );
  }
}

interface FormatRecord {
  readonly name: string;
  readonly version: number;
}

const FORMAT_KEY = "format";

async function settleFormat(environment: StoreEnvironment, format: StoreFormat): Promise<void> {
  const meta = environment.table("meta");
  const text = meta.get(FORMAT_KEY);
  if (text === undefined) {
    await environment.commit(
      () => void meta.put(FORMAT_KEY, formatText(format.name, format.version)),
    );
    return;
  }
  const found = decodeFormat(text);
  if (found === null || found.name !== format.name || found.version > format.version) {
    throw unknownFormat(environment.folder, text, format);
  }
  for (let version = found.version; version < format.version; version += 1) {
    const migrate = format.migrations.get(version);
    assert(migrate !== undefined, `no migration of ${format.name} from version ${version}`);
    environment.commitSync(() => {
      migrate(environment.table);
      meta.putSync(FORMAT_KEY, formatText(format.name, version + 1));
    });
  }
}

function formatText(name: string, version: number): string {
  return JSON.stringify({ name, version } satisfies FormatRecord);
}

function decodeFormat(text: string): FormatRecord | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const { name, version } = value as Partial<FormatRecord>;
    return typeof name === "string" && Number.isInteger(version) && version !== undefined
      ? { name, version }
      : null;
  } catch {
    return null; // Not JSON: not ours.
  }
}

function unknownFormat(folder: string, text: string, format: StoreFormat): Fault {
  return new Fault(
    "DATA_FORMAT_UNKNOWN",
    `Data folder ${folder} has format ${text}, and this version reads ${format.name} up to ` +
      `version ${format.version}. Run the version of trainyard that wrote it, or a newer one, or ` +
      "give another folder (--data-dir).",
    { isRetryable: false },
  );
}
