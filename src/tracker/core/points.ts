// Points of one metric as parallel columns: what chunks are packed from and queries work on.
// A step is a safe integer, a time is UTC milliseconds since 1970, a value any double.

/** One logged value. */
export interface Point {
  readonly step: number;
  readonly timestampMs: number;
  readonly value: number;
}

/** Only the first `length` entries of each column mean anything. */
export interface PointColumns {
  readonly length: number;
  readonly step: Float64Array;
  readonly timestampMs: Float64Array;
  readonly value: Float64Array;
}

/** Columns that grow. Doubles hold every safe integer exactly, so one column type serves all. */
export class PointBuffer implements PointColumns {
  #length = 0;
  #step: Float64Array;
  #timestampMs: Float64Array;
  #value: Float64Array;

  constructor(capacity = 64) {
    const room = Math.max(1, capacity);
    this.#step = new Float64Array(room);
    this.#timestampMs = new Float64Array(room);
    this.#value = new Float64Array(room);
  }

  get length(): number {
    return this.#length;
  }
  get step(): Float64Array {
    return this.#step;
  }
  get timestampMs(): Float64Array {
    return this.#timestampMs;
  }
  get value(): Float64Array {
    return this.#value;
  }

  push(step: number, timestampMs: number, value: number): void {
    if (this.#length === this.#step.length) this.#growTo(this.#length * 2);
    this.#step[this.#length] = step;
    this.#timestampMs[this.#length] = timestampMs;
    this.#value[this.#length] = value;
    this.#length += 1;
  }

  /** Makes room for `count` more and counts them in: the caller fills the columns at once. */
  extend(count: number): number {
    const from = this.#length;
    if (from + count > this.#step.length) this.#growTo(Math.max(from + count, from * 2));
    this.#length += count;
    return from;
  }

  /** Drops what lies past `length`, say after a filter that moved the rest down. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  #growTo(capacity: number): void {
    this.#step = grown(this.#step, capacity);
    this.#timestampMs = grown(this.#timestampMs, capacity);
    this.#value = grown(this.#value, capacity);
  }
}

/** Rebuilds columns with the points at `indexes`, in that order. */
export function pickPoints(points: PointColumns, indexes: ArrayLike<number>): PointColumns {
  const picked = new PointBuffer(indexes.length);
  for (let i = 0; i < indexes.length; i++) {
    const at = indexes[i] ?? 0;
    picked.push(points.step[at] ?? 0, points.timestampMs[at] ?? 0, points.value[at] ?? 0);
  }
  return picked;
}

function grown(column: Float64Array, capacity: number): Float64Array {
  const next = new Float64Array(capacity);
  next.set(column);
  return next;
}
