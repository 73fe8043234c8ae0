// The process's surroundings as the commands see them: streams, host, clock, Ctrl-C. Tests pass
// their own.

import type { Host } from "../config/host.ts";

export interface OutStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface InStream extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
}

export interface Io {
  readonly host: Host;
  readonly stdin: InStream;
  /** Data only. */
  readonly stdout: OutStream;
  /** Talk: notes, progress, errors. */
  readonly stderr: OutStream;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** UTC milliseconds. */
  nowMs(): number;
  /** Fresh random id for a request. */
  newId(): string;
}

/** Writes and waits while the reader is slow, so that a long log never piles up in memory. */
export async function writeSlowly(stream: OutStream, data: string | Uint8Array): Promise<void> {
  if (stream.write(data)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void) => () => {
      stream.off("drain", onDrain);
      stream.off("close", onDrain);
      stream.off("error", onError);
      act();
    };
    const onDrain = settle(resolve);
    const onError = settle(() => reject(new Error("output closed")));
    stream.once("drain", onDrain);
    stream.once("close", onDrain);
    stream.once("error", onError);
  });
}

/** Resolves after so long, or at once when the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
