// One agent's stream of batches in, acknowledgements out, in order. Owns the window of batches in
// flight on a stream; the writer owns what they share.
//
// Back-pressure: when the writer's queue is full or the window is, the next batch isn't read, and
// HTTP/2 flow control holds the sender. The agent keeps the rest in its log files.

import type { Ack } from "./append.ts";
import type { SourceBatch } from "./core/batch.ts";

/** Batches of one stream that may wait for their acknowledgement. */
export const STREAM_WINDOW = 64;

export interface IngestPort {
  /** Resolves when another batch may be sent. */
  space(): Promise<void>;
  storeBatch(batch: SourceBatch): Promise<Ack>;
}

/**
 * Yields one acknowledgement per batch, each once it is durable. Throws the store's fault when a
 * batch could not be written: the stream then ends and the agent sends it again on the next one.
 */
export async function* ingest(
  batches: AsyncIterable<SourceBatch>,
  tracker: IngestPort,
): AsyncGenerator<Ack, void, undefined> {
  const window = new AckWindow();
  void readInto(window, batches, tracker);
  try {
    yield* window.acks();
  } finally {
    window.stop();
  }
}

/** Never rejects: how reading ended comes out at the end of the acknowledgements. */
async function readInto(
  window: AckWindow,
  batches: AsyncIterable<SourceBatch>,
  tracker: IngestPort,
): Promise<void> {
  try {
    for await (const batch of batches) {
      await window.room();
      await tracker.space();
      if (window.isStopped) return;
      window.push(tracker.storeBatch(batch));
    }
    window.end(null);
  } catch (error) {
    window.end({ error });
  }
}

/** Acknowledgements on their way, oldest first, at most `STREAM_WINDOW`. */
class AckWindow {
  readonly #acks: Promise<Ack>[] = [];
  #changed: (() => void)[] = [];
  #end: { readonly failure: { readonly error: unknown } | null } | null = null;
  #isStopped = false;

  get isStopped(): boolean {
    return this.#isStopped;
  }

  async room(): Promise<void> {
    while (this.#acks.length >= STREAM_WINDOW && !this.#isStopped) await this.#change();
  }

  push(ack: Promise<Ack>): void {
    this.#acks.push(ack);
    // `acks` awaits it in its turn; a failure before that must not count as unhandled.
    const wake = (): void => this.#notify();
    ack.then(wake, wake);
  }

  /** No more will come; what is there is still given out. */
  end(failure: { readonly error: unknown } | null): void {
    this.#end = { failure };
    this.#notify();
  }

  /** The reader of the acknowledgements has gone. */
  stop(): void {
    this.#isStopped = true;
    this.#notify();
  }

  async *acks(): AsyncGenerator<Ack, void, undefined> {
    for (;;) {
      const next = this.#acks[0];
      if (next !== undefined) {
        yield await next;
        void this.#acks.shift();
        this.#notify();
      } else if (this.#end === null) {
        await this.#change();
      } else {
        if (this.#end.failure !== null) throw this.#end.failure.error;
        return;
      }
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #notify(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const wake of waiting) wake();
  }
}
