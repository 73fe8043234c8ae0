// Calls that the gRPC server handled, under the names that ready-made dashboards expect. The
// interceptor of the server calls it; it knows no service.

import type { Counter, Histogram } from "prom-client";
import type { MetricsRegistry } from "./metrics.ts";

export type GrpcCallKind = "unary" | "client_stream" | "server_stream" | "bidi_stream";

export interface GrpcCall {
  readonly kind: GrpcCallKind;
  /** Full name, such as `trainyard.v1.JobService`. */
  readonly service: string;
  readonly method: string;
}

const SECONDS_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type CallLabel = "grpc_type" | "grpc_service" | "grpc_method";

export class GrpcMetrics {
  readonly #started: Counter<CallLabel>;
  readonly #handled: Counter<CallLabel | "grpc_code">;
  readonly #seconds: Histogram<CallLabel>;

  constructor(metrics: MetricsRegistry) {
    const call = ["grpc_type", "grpc_service", "grpc_method"] as const;
    this.#started = metrics.counter("grpc_server_started_total", "Calls that began.", call);
    this.#handled = metrics.counter(
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
  }

  started(call: GrpcCall): void {
    this.#started.inc(labelsOf(call));
  }

  /** `code` is the status by name as in Go, such as `OK` or `NotFound`. */
  handled(call: GrpcCall, code: string, seconds: number): void {
    const labels = labelsOf(call);
    this.#handled.inc({ ...labels, grpc_code: code });
    this.#seconds.observe(labels, seconds);
  }
}

function labelsOf(call: GrpcCall): Record<CallLabel, string> {
  return { grpc_type: call.kind, grpc_service: call.service, grpc_method: call.method };
}
