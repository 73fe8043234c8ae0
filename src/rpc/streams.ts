// Streams with back-pressure, for both ends of the wire: a sink whose `send` waits while the peer
// is slow, and an iterable that reads no faster than it is consumed.

import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";

const TEARDOWN_TURNS = 10;

export interface Sink<T> {
  /**
   * Resolves when the stream takes more; at once unless the peer is slow. Throws the signal's
   * reason when the call is over. One message after another: order is that of the calls.
   */
  send(message: T): Promise<void>;
}

/** What a sink needs of a grpc-js stream. */
interface Writer<T> {
  write(message: T): boolean;
  once(event: "drain", listener: () => void): unknown;
}

export function createSink<T>(writer: Writer<T>, signal: AbortSignal): Sink<T> {
  let drained: Promise<void> | null = null;
  const waitForDrain = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      writer.once("drain", () => {
        signal.removeEventListener("abort", abort);
        drained = null;
        resolve();
      });
    });
  return {
    send: async (message) => {
      if (drained !== null) await drained;
      signal.throwIfAborted();
      // All senders wait for one drain: a listener each would grow with their number.
      if (!writer.write(message)) drained ??= waitForDrain();
      if (drained !== null) await drained;
    },
  };
}

/** Messages as they come. Leaving the loop early keeps the stream open for replies. */
export function incoming<T>(stream: Readable): AsyncIterable<T> {
  return stream.iterator({ destroyOnReturn: false });
}

/**
 * A client's messages, on the server. Ends when the client has said that it is done, and throws the
 * signal's reason when the call broke off instead.
 */
export async function* requestsOf<T>(stream: Readable, signal: AbortSignal): AsyncGenerator<T> {
  yield* incoming<T>(stream);
  // To grpc-js a reset stream has ended first and is cancelled when Node has torn it down, a few
  // turns of the event loop later (a number of turns, not a time: load does not change it).
  for (let turn = 0; turn < TEARDOWN_TURNS; turn += 1) {
    await nextTurn();
    signal.throwIfAborted();
  }
}
