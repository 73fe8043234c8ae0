// Ships the metrics of a task's output to the tracker. stdout.log itself is the spool: positions are
// byte offsets in it, the tracker says how far it has stored them, and whatever breaks in between is
// read again from there. So nothing is kept in memory while the tracker is away.

import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import { backoffMs } from "./core/backoff.ts";
import { METRIC_LINE_BYTES_MAX, type MetricPoint, parseMetricLine } from "./core/metrics-lines.ts";
import { taskName } from "./core/task-key.ts";
import type { AgentLog, MetricBatch, MetricSink } from "./ports.ts";
import { isErrno } from "./proc.ts";
import type { TaskFolder } from "./task-folder.ts";

export interface ShipperPorts {
  readonly metrics: MetricSink;
  readonly log: AgentLog;
  readonly random: () => number;
}

/** How often the file is looked at for more. */
const LOOK_MS = 500;
/** One batch covers at most this much of the file, so also bounds the memory used. */
const BATCH_BYTES = 262_144;
/** After so much output without metrics its end is stored all the same, to be read only once. */
const SILENT_BYTES_MAX = 8 * 1024 * 1024;
const NEWLINE = 10;

export class MetricShipper {
  readonly #folder: TaskFolder;
  readonly #task: DesiredTask;
  readonly #ports: ShipperPorts;
  readonly #onShipped: () => void;
  readonly #stopper = new AbortController();
  #isFinal = false;

  /** `onShipped`: everything up to the end of the output is stored. */
  constructor(folder: TaskFolder, task: DesiredTask, ports: ShipperPorts, onShipped: () => void) {
    this.#folder = folder;
    this.#task = task;
    this.#ports = ports;
    this.#onShipped = onShipped;
  }

  start(): void {
    void this.#run();
  }

  /** The task is over: ships up to the end of its output, then is done. */
  finish(): void {
    this.#isFinal = true;
  }

  /** Stops where it is; a later one goes on from what the tracker has. */
  stop(): void {
    this.#stopper.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopper;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await this.#ship(() => {
          failures = 0;
        });
        return;
      } catch (error) {
        // The tracker is away, or the disk is: the file keeps the points.
        const fields = { task: taskName(this.#task), error: String(error), failures };
        if (failures === 1) this.#ports.log.warn(fields, "metrics wait for the tracker");
        await pause(backoffMs(failures, this.#ports.random()), signal);
      }
    }
  }

  /** From where the tracker is, to the end of a task that is over. Rejects when a part breaks. */
  async #ship(onProgress: () => void): Promise<void> {
    const { signal } = this.#stopper;
    let stored = await this.#ports.metrics.position(taskName(this.#task));
    let read = stored;
    while (!signal.aborted) {
      const isLast = this.#isFinal;
      const batch = await readBatch(this.#folder.file("stdout"), read, isLast);
      if (signal.aborted) return;
      if (batch === null) {
        if (isLast) return this.#onShipped();
        await pause(LOOK_MS, signal);
        continue;
      }
      read = batch.toPosition;
      // The tracker takes no gaps: output without metrics is covered by the next batch that has some.
      if (batch.points.length === 0 && read - stored < SILENT_BYTES_MAX) continue;
      stored = await this.#store(batch.points, stored, read);
      read = stored;
      onProgress();
    }
  }

  /** Where to go on: normally `to`, but the tracker's word goes before ours. */
  async #store(points: readonly MetricPoint[], from: number, to: number): Promise<number> {
    const batch: MetricBatch = {
      runId: this.#task.runId,
      attempt: this.#task.attempt,
      source: taskName(this.#task),
      fromPosition: from,
      toPosition: to,
      points,
    };
    const ack = await this.#ports.metrics.store(batch);
    if (ack.error === "") return ack.position;
    const fields = { source: batch.source, error: ack.error, points: points.length };
    this.#ports.log.warn(fields, "the tracker refused metrics: dropped");
    return to;
  }
}

interface ReadBatch {
  readonly points: readonly MetricPoint[];
  readonly toPosition: number;
}

/** Whole lines from `position` on; null when there is none yet. */
async function readBatch(
  path: string,
  position: number,
  isLast: boolean,
): Promise<ReadBatch | null> {
  const bytes = await readFrom(path, position);
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const isTooLong = end === 0 && bytes.length >= METRIC_LINE_BYTES_MAX;
  // A line without an end: more of it may come, unless the task is over or it is no metric anyway.
  const length = end > 0 || !(isLast || isTooLong) ? end : bytes.length;
  if (length === 0) return null;
  const nowMs = Date.now();
  const lines = bytes.toString("utf8", 0, length).split("\n");
  const points = lines.flatMap((line) =>
    line.length > METRIC_LINE_BYTES_MAX ? [] : parseMetricLine(line, nowMs),
  );
  return { points, toPosition: position + length };
}

async function readFrom(path: string, position: number): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(BATCH_BYTES, Math.max(0, size - position));
    if (length === 0) return Buffer.alloc(0);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
