// The durable log: rows numbered from 1 without gaps, as JSON text. Owns the `events` table and its
// index; knows nothing of what a row means beyond its number.

import { assert } from "../base/assert.ts";
import { Fault } from "../base/errors.ts";
import { crashPoint } from "./crash-points.ts";
import type { StoreEnvironment, TextTable } from "./environment.ts";

export interface LogRow {
  /** From 1, without gaps. */
  readonly seq: number;
}

export interface EventLogOptions<Row extends LogRow> {
  readonly environment: StoreEnvironment;
  /** Checks and types one parsed row; throws with what is wrong. */
  readonly decode: (value: unknown) => Row;
  /** Rows with the same key can be read by it in order; null = in no index. */
  readonly indexKey: (row: Row) => string | null;
}

const PAGE_ROWS = 1_000;
const TRIM_ROWS = 2_000;

export class EventLog<Row extends LogRow> {
  readonly #options: EventLogOptions<Row>;
  readonly #rows: TextTable;
  readonly #index: TextTable;
  #firstSeq: number;
  #lastSeq: number;

  constructor(options: EventLogOptions<Row>) {
    this.#options = options;
    this.#rows = options.environment.table("events");
    this.#index = options.environment.table("events-by-key");
    this.#firstSeq = this.#edge(false);
    this.#lastSeq = this.#edge(true);
  }

  /** 0 when the log is empty; above 1 once old rows were trimmed. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  /** Of the newest durable row; 0 when the log is empty. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /**
   * Resolves when all of `rows` are on disk; throws `DATA_NOT_WRITTEN`, and then none is. The rows
   * follow the last one without a gap. One call at a time.
   */
  async append(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const texts = rows.map((row) => JSON.stringify(row));
    let seq = this.#lastSeq;
    for (const row of rows) {
      seq += 1;
      assert(row.seq === seq, `event ${row.seq} appended where ${seq} was due`);
    }
    crashPoint("log.before-commit");
    await this.#options.environment.commit(() => {
      rows.forEach((row, position) => {
        void this.#rows.put(row.seq, texts[position] ?? "");
        const key = this.#options.indexKey(row);
        if (key !== null) void this.#index.put([key, row.seq], "");
      });
    });
    crashPoint("log.after-commit");
    this.#lastSeq = seq;
    if (this.#firstSeq === 0) this.#firstSeq = rows[0]?.seq ?? 0;
  }

  /**
   * Rows from `fromSeq` on, in order, up to the last one at the time of each page. Holds one page
   * in memory and no transaction between pages. Throws `DATA_LOG_CORRUPT` at a gap or a bad row.
   */
  *read(fromSeq: number): Generator<Row> {
    let next = fromSeq;
    while (next <= this.#lastSeq) {
      for (const row of this.readPage(next)) yield row;
      next += PAGE_ROWS;
    }
  }

  /** At most 1,000 rows from `fromSeq` on. Throws as `read` does. */
  readPage(fromSeq: number): readonly Row[] {
    const rows: Row[] = [];
    const end = Math.min(fromSeq + PAGE_ROWS - 1, this.#lastSeq);
    for (const { key, value } of this.#rows.getRange({ start: fromSeq, end: end + 1 })) {
      const due = fromSeq + rows.length;
      if (key !== due) throw this.#corrupt(due, `it is missing; the next one is ${String(key)}`);
      rows.push(this.#decode(due, value));
    }
    const due = fromSeq + rows.length;
    if (due <= end) throw this.#corrupt(due, "it and all after it in the page are missing");
    return rows;
  }

  /** Rows with this index key and a number of at least `fromSeq`, oldest first, at most `limit`. */
  readIndexed(key: string, fromSeq: number, limit: number): readonly Row[] {
    const seqs: number[] = [];
    const range = { start: [key, fromSeq], end: [key, this.#lastSeq + 1], limit };
    for (const found of this.#index.getKeys(range)) {
      if (Array.isArray(found) && typeof found[1] === "number") seqs.push(found[1]);
    }
    return seqs.map((seq) => this.get(seq));
  }

  /** Throws `DATA_LOG_CORRUPT` when there is no readable row of this number. */
  get(seq: number): Row {
    const text = this.#rows.get(seq);
    if (text === undefined) throw this.#corrupt(seq, "it is missing");
    return this.#decode(seq, text);
  }

  /** Removes rows below `seq` (never the last one), oldest first. Returns how many. */
  async trimBefore(seq: number): Promise<number> {
    const end = Math.min(seq, this.#lastSeq);
    const before = this.#firstSeq;
    while (this.#firstSeq > 0 && this.#firstSeq < end) {
      const from = this.#firstSeq;
      const to = Math.min(from + TRIM_ROWS, end);
      const keys = this.#readKeys(from, to);
      await this.#options.environment.commit(() => {
        for (let old = from; old < to; old += 1) void this.#rows.remove(old);
        for (const [key, old] of keys) void this.#index.remove([key, old]);
      });
      this.#firstSeq = to;
      crashPoint("trim.between-rows");
    }
    return Math.max(0, this.#firstSeq - before);
  }

  #readKeys(from: number, to: number): readonly (readonly [string, number])[] {
    const keys: [string, number][] = [];
    for (let seq = from; seq < to; seq += 1) {
      const key = this.#options.indexKey(this.get(seq));
      if (key !== null) keys.push([key, seq]);
    }
    return keys;
  }

  #edge(isLast: boolean): number {
    for (const key of this.#rows.getKeys({ limit: 1, reverse: isLast })) {
      if (typeof key === "number") return key;
      throw this.#corrupt(0, `the table has the foreign key ${String(key)}`);
    }
    return 0;
  }

  #decode(seq: number, text: string): Row {
    try {
      const row = this.#options.decode(JSON.parse(text));
      if (row.seq === seq) return row;
      throw this.#corrupt(seq, `it says it is event ${row.seq}`);
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw this.#corrupt(seq, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #corrupt(seq: number, why: string, cause?: unknown): Fault {
    return new Fault(
      "DATA_LOG_CORRUPT",
      `Event ${seq} of the log in ${this.#options.environment.folder} cannot be read: ${why}. ` +
        "Restore the folder from a backup; do not go on without the event.",
      { cause, isRetryable: false },
    );
  }
}
