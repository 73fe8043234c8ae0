// Calls that the gRPC server handled, under the names that ready-made dashboards expect. The
// interceptor of the server calls it; it knows no service.

import type { Histogram } from "prom-client";
import { type MetricsRegistry, setCounter } from "./metrics.ts";

export type GrpcCallKind = "unary" | "client_stream" | "server_stream" | "bidi_stream";

/** One object for each method. */
export interface GrpcCall {
  readonly kind: GrpcCallKind;
  /** Full name, such as `trainyard.v1.JobService`. */
  readonly service: string;
  readonly method: string;
}

const SECONDS_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type CallLabel = "grpc_type" | "grpc_service" | "grpc_method";
type CallLabels = Record<CallLabel, string>;

interface Counts {
  readonly labels: CallLabels;
  started: number;
  readonly handled: Map<string, number>;
}

export class GrpcMetrics {
  /** By method. Counted here: a counter of prom-client's costs a hash of its labels each time. */
  readonly #counts = new Map<GrpcCall, Counts>();
  readonly #seconds: Histogram<CallLabel>;

  constructor(metrics: MetricsRegistry) {
    const call = ["grpc_type", "grpc_service", "grpc_method"] as const;
    const started = metrics.counter("grpc_server_started_total", "Calls that began.", call);
    const handled = metrics.counter(
      "grpc_server_handled_total",
      "Calls that ended, by status code.",
      [...call, "grpc_code"] as const,
    );
    this.#seconds = metrics.histogram(
      "grpc_server_handling_seconds",
      "Time from the start of a call to its end; of streams, their whole life.",
      SECONDS_BUCKETS,
      call,
    );
    metrics.onScrape(() => {
      const counts = [...this.#counts.values()];
      setCounter(
        started,
        counts.map((one) => [one.labels, one.started] as const),
      );
      setCounter(handled, counts.flatMap(handledSeries));
    });
  }

  started(call: GrpcCall): void {
    this.#countsOf(call).started += 1;
  }

  /** `code` is the status by name as in Go, such as `OK` or `NotFound`. */
  handled(call: GrpcCall, code: string, seconds: number): void {
    const { labels, handled } = this.#countsOf(call);
    handled.set(code, (handled.get(code) ?? 0) + 1);
    this.#seconds.observe(labels, seconds);
  }

  #countsOf(call: GrpcCall): Counts {
    const known = this.#counts.get(call);
    if (known !== undefined) return known;
    const counts = { labels: labelsOf(call), started: 0, handled: new Map<string, number>() };
    this.#counts.set(call, counts);
    return counts;
  }
}

function handledSeries({ labels, handled }: Counts) {
  return [...handled].map(([code, count]) => [{ ...labels, grpc_code: code }, count] as const);
}

function labelsOf(call: GrpcCall): CallLabels {
  return { grpc_type: call.kind, grpc_service: call.service, grpc_method: call.method };
}
