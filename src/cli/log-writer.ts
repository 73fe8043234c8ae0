// Writes chunks of output of several tasks. One task's bytes go through as they are; those of
// several are put into whole lines, each with its rank before it.

import type { ReadLogsResponse__Output } from "../rpc/gen/trainyard/v1/ReadLogsResponse.ts";

export interface LogWriterOptions {
  /** True: each line begins with `[rank]`. */
  readonly isPrefixed: boolean;
  readonly paint: (text: string) => string;
  readonly write: (stream: string, bytes: Uint8Array) => Promise<void>;
}

export interface LogWriter {
  chunk(chunk: ReadLogsResponse__Output): Promise<void>;
  /** Writes what waits for the end of its line. */
  flush(): Promise<void>;
}

/** A line longer than this is broken: progress bars may never end theirs. */
const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 10;

export function createLogWriter(options: LogWriterOptions): LogWriter {
  const partial = new Map<string, { rank: number; stream: string; bytes: Buffer }>();
  const writeLines = async (rank: number, stream: string, bytes: Buffer): Promise<void> => {
    const prefix = Buffer.from(options.paint(`[${rank}] `));
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, at);
      const next = end < 0 ? bytes.length : end + 1;
      parts.push(prefix, bytes.subarray(at, next));
      at = next;
    }
    if (bytes.at(-1) !== NEWLINE) parts.push(Buffer.from("\n"));
    await options.write(stream, Buffer.concat(parts));
  };
  return {
    chunk: async ({ rank, stream, data }) => {
      if (!options.isPrefixed) return options.write(stream, data);
      const key = `${rank}/${stream}`;
      const bytes = Buffer.concat([partial.get(key)?.bytes ?? Buffer.alloc(0), data]);
      const isLong = bytes.length > LINE_BYTES_MAX;
      const cut = isLong ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
      partial.set(key, { rank, stream, bytes: bytes.subarray(cut) });
      if (cut > 0) await writeLines(rank, stream, bytes.subarray(0, cut));
    },
    flush: async () => {
      for (const { rank, stream, bytes } of partial.values()) {
        if (bytes.length > 0) await writeLines(rank, stream, bytes);
      }
      partial.clear();
    },
  };
}
