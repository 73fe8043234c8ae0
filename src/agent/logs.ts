// Reads a task's output for those who ask: from an offset or the last lines on, to the end, or on and
// on until the task is over. Offsets are those of the files, so they stay whole across restarts.

import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isErrno } from "./proc.ts";

/** A frame of a log channel carries at most this. */
export const LOG_CHUNK_BYTES = 65_536;
/** How often a followed file is looked at. */
const FOLLOW_MS = 200;
/** The last lines are looked for in this much from the end. */
const TAIL_BYTES_MAX = 4 * 1024 * 1024;

export interface LogChunk {
  readonly stream: "stdout" | "stderr";
  /** Position of the first byte. */
  readonly offset: number;
  readonly data: Buffer;
}

export interface ReadLogOptions {
  /** Only the last lines; 0 = all. */
  readonly tailLines: number;
  readonly follow: boolean;
  /** Whether the task is over: a followed log then ends at the end of the file. */
  readonly isOver: () => boolean;
  readonly signal: AbortSignal;
}

/** Both streams of a task, as they come. Ends by `signal`, which rejects nothing. */
export async function* readLogs(
  files: Readonly<Record<"stdout" | "stderr", string>>,
  options: ReadLogOptions,
): AsyncGenerator<LogChunk, void, undefined> {
  const readers = [
    new LogFile("stdout", files.stdout, options.tailLines),
    new LogFile("stderr", files.stderr, options.tailLines),
  ];
  try {
    while (!options.signal.aborted) {
      // Asked before reading: what the task wrote before its end is then read for certain.
      const isLast = !options.follow || options.isOver();
      for (const reader of readers) yield* reader.read(options.signal);
      if (isLast) return;
      await sleep(FOLLOW_MS, undefined, { signal: options.signal }).catch(() => undefined);
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
}

/** One file, read on from where the last reading ended. */
class LogFile {
  readonly #stream: LogChunk["stream"];
  readonly #path: string;
  readonly #tailLines: number;
  #file: FileHandle | null = null;
  #offset = 0;

  constructor(stream: LogChunk["stream"], path: string, tailLines: number) {
    this.#stream = stream;
    this.#path = path;
    this.#tailLines = tailLines;
  }

  /** Up to what is the end now. */
  async *read(signal: AbortSignal): AsyncGenerator<LogChunk, void, undefined> {
    const file = await this.#open();
    if (file === null) return;
    const { size } = await file.stat();
    while (this.#offset < size && !signal.aborted) {
      const length = Math.min(LOG_CHUNK_BYTES, size - this.#offset);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, this.#offset);
      if (bytesRead === 0) return;
      const offset = this.#offset;
      this.#offset += bytesRead;
      yield { stream: this.#stream, offset, data: buffer.subarray(0, bytesRead) };
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  /** Null while the task has written nothing. */
  async #open(): Promise<FileHandle | null> {
    if (this.#file !== null) return this.#file;
    try {
      this.#file = await open(this.#path, "r");
    } catch (error) {
      if (isErrno(error, "ENOENT")) return null;
      throw error;
    }
    if (this.#tailLines > 0) this.#offset = await tailOffset(this.#file, this.#tailLines);
    return this.#file;
  }
}

/** Where the last `lines` lines begin. */
async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL_BYTES_MAX);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
  // The newline at the very end closes the last line and does not begin another.
  let position = bytesRead - 1;
  for (let found = 0; found < lines; found += 1) {
    position = position <= 0 ? -1 : buffer.lastIndexOf(10, position - 1);
    if (position < 0) return from;
  }
  return from + position + 1;
}
