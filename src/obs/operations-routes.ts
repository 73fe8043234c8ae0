// What operators and Prometheus ask a daemon: metrics, health, readiness, where the agents are.

import type http from "node:http";
import type { Health } from "./health.ts";
import { type HttpRoute, send, sendJson } from "./http.ts";
import { METRICS_CONTENT_TYPES, type MetricsFormat, type MetricsRegistry } from "./metrics.ts";

/** One entry of Prometheus' HTTP service discovery. */
export interface ScrapeTarget {
  /** `host:port`. */
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface OperationsOptions {
  readonly metrics: MetricsRegistry;
  /** Series per job, for sites that want them; null = the route is not there. */
  readonly jobMetrics: MetricsRegistry | null;
  readonly health: Health;
  readonly agents: () => readonly ScrapeTarget[];
}

export function operationsRoutes(options: OperationsOptions): readonly HttpRoute[] {
  const { metrics, jobMetrics, health, agents } = options;
  const alive: HttpRoute["handle"] = (_, response) => send(response, 200, "text/plain", "ok\n");
  return [
    get("/metrics", (request, response) => sendMetrics(metrics, request.raw, response)),
    ...(jobMetrics === null
      ? []
      : [
          get("/metrics/jobs", (request, response) =>
            sendMetrics(jobMetrics, request.raw, response),
          ),
        ]),
    get("/-/healthy", alive),
    get("/healthz", alive),
    get("/-/ready", (_, response) => sendReady(health, response)),
    get("/sd/agents", (_, response) => sendJson(response, 200, agents())),
  ];
}

function get(path: string, handle: HttpRoute["handle"]): HttpRoute {
  return { method: "GET", path, handle };
}

async function sendMetrics(
  metrics: MetricsRegistry,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const wantsOpen = (request.headers.accept ?? "").includes("application/openmetrics-text");
  const format: MetricsFormat = wantsOpen ? "openmetrics" : "prometheus";
  send(response, 200, METRICS_CONTENT_TYPES[format], await metrics.render(format));
}

function sendReady(health: Health, response: http.ServerResponse): void {
  const { isReady, lines } = health.report();
  const text = [isReady ? "ready" : "not ready", ...lines].join("\n");
  send(response, isReady ? 200 : 503, "text/plain", `${text}\n`);
}
