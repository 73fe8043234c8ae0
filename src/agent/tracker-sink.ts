// The tracker as the agent's shippers need it: one ingest stream for all tasks, opened on the first
// batch and again after it broke. Keeps no points: who sent a batch that was not acknowledged sends it
// again.

import { Fault } from "../base/errors.ts";
import type { Connection, Duplex } from "../rpc/client.ts";
import type { MetricAck__Output } from "../rpc/gen/trainyard/v1/MetricAck.ts";
import type { MetricBatch as BatchMessage } from "../rpc/gen/trainyard/v1/MetricBatch.ts";
import { decodeService } from "../rpc/loader.ts";
import type { MetricBatch, MetricSink } from "./ports.ts";

type Stream = Duplex<BatchMessage, MetricAck__Output>;
type Answer = Awaited<ReturnType<MetricSink["store"]>>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Fault) => void;
}

/** An acknowledgement is a durable write away; later than this, the stream is given up. */
const ACK_TIMEOUT_MS = 30_000;

export class TrackerSink implements MetricSink {
  readonly #connection: Connection;
  /** By source: a shipper sends its next batch only after the answer to the one before. */
  readonly #waiting = new Map<string, Waiting>();
  #stream: Stream | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async position(source: string): Promise<number> {
    const { GetSourcePosition } = decodeService("TrackerService");
    try {
      const { position } = await this.#connection.unary(GetSourcePosition, { source });
      return position;
    } catch (error) {
      throw trackerAway(error);
    }
  }

  async store(batch: MetricBatch): Promise<Answer> {
    const stream = this.#open();
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.get(batch.source)?.reject(trackerAway(new Error("the batch was sent again")));
      this.#waiting.set(batch.source, { resolve, reject });
    });
    const timeout = setTimeout(() => stream.cancel(), ACK_TIMEOUT_MS);
    try {
      await Promise.all([stream.send(encodeBatch(batch)), answer]);
      return await answer;
    } catch (error) {
      throw trackerAway(error);
    } finally {
      clearTimeout(timeout);
    }
  }

  close(): void {
    this.#stream?.cancel();
  }

  #open(): Stream {
    if (this.#stream !== null) return this.#stream;
    const { IngestMetrics } = decodeService("TrackerService");
    const stream: Stream = this.#connection.bidiStream(IngestMetrics);
    this.#stream = stream;
    void this.#read(stream);
    return stream;
  }

  async #read(stream: Stream): Promise<void> {
    let cause: unknown = new Error("the tracker ended the stream");
    try {
      for await (const { source, position, error } of stream) {
        this.#waiting.get(source)?.resolve({ position, error });
        this.#waiting.delete(source);
      }
    } catch (error) {
      cause = error;
    }
    if (this.#stream === stream) this.#stream = null;
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of unanswered) reject(trackerAway(cause));
  }
}

function encodeBatch(batch: MetricBatch): BatchMessage {
  const { points, ...head } = batch;
  const metrics = [...new Set(points.map((point) => point.metric))];
  const indexes = new Map(metrics.map((metric, index) => [metric, index]));
  return {
    ...head,
    metrics,
    points: {
      metric: points.map((point) => indexes.get(point.metric) ?? 0),
      step: points.map((point) => point.step),
      timestampMs: points.map((point) => point.timestampMs),
      value: points.map((point) => point.value),
    },
  };
}

function trackerAway(cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const message = `The tracker does not take metrics: ${cause instanceof Error ? cause.message : String(cause)}.`;
  return new Fault("SERVER_UNREACHABLE", message, { cause });
}
