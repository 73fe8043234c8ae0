import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { GrpcMetrics } from "./grpc-metrics.ts";
import { MetricsRegistry, setCounter, setGauge } from "./metrics.ts";

function world() {
  const hands = { nowMs: 0 };
  return { hands, metrics: new MetricsRegistry(() => hands.nowMs) };
}

test("gauges are filled right before a rendering, which is kept for a second", async () => {
  const { hands, metrics } = world();
  const gauge = metrics.gauge("things", "Things.");
  let fills = 0;
  metrics.onScrape(() => gauge.set((fills += 1)));
  expect(await metrics.render("prometheus")).toContain("\nthings 1\n");
  hands.nowMs = 999;
  expect(await metrics.render("prometheus")).toContain("\nthings 1\n");
  hands.nowMs = 1_000;
  expect(await metrics.render("prometheus")).toContain("\nthings 2\n");
});

test("a series that its owner no longer names is gone, and a counter is what was counted", async () => {
  const { hands, metrics } = world();
  const gauge = metrics.gauge("nodes", "Nodes.", ["node"]);
  const counter = metrics.counter("jobs_total", "Jobs.", ["state"]);
  setGauge(gauge, [
    [{ node: "a" }, 1],
    [{ node: "b" }, 2],
  ]);
  setCounter(counter, [[{ state: "done" }, 7]]);
  await metrics.render("prometheus");
  setGauge(gauge, [[{ node: "b" }, 3]]);
  setCounter(counter, [[{ state: "done" }, 8]]);
  hands.nowMs = 5_000;
  const text = await metrics.render("prometheus");
  expect(text).not.toContain('node="a"');
  expect(text).toContain('nodes{node="b"} 3');
  expect(text).toContain('jobs_total{state="done"} 8');
});

test("OpenMetrics names a counter without _total in its head, and a plain scrape after it is as before", async () => {
  const { metrics } = world();
  metrics.counter("jobs_total", "Jobs that jobs_total counts.").inc(3);
  metrics.gauge("sum_total", "A gauge keeps its name.").set(1);
  const plain = await metrics.render("prometheus");
  expect(await metrics.render("openmetrics")).toBe(
    [
      "# HELP jobs Jobs that jobs_total counts.",
      "# TYPE jobs counter",
      "jobs_total 3",
      "# HELP sum_total A gauge keeps its name.",
      "# TYPE sum_total gauge",
      "sum_total 1",
      "# EOF",
      "",
    ].join("\n"),
  );
  expect(await metrics.render("prometheus")).toBe(plain);
  expect(plain).toContain("# TYPE jobs_total counter");
});

test("a gRPC call is counted by service, method and code, under the usual names", async () => {
  const { metrics } = world();
  const grpc = new GrpcMetrics(metrics);
  const call = { kind: "unary", service: "trainyard.v1.JobService", method: "SubmitJob" } as const;
  grpc.started(call);
  grpc.handled(call, "OK", 0.004);
  const text = await metrics.render("prometheus");
  const labels = 'grpc_type="unary",grpc_service="trainyard.v1.JobService",grpc_method="SubmitJob"';
  expect(text).toContain(`grpc_server_started_total{${labels}} 1`);
  expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="OK"} 1`);
  expect(text).toContain(`grpc_server_handling_seconds_bucket{le="0.005",${labels}} 1`);
});

test.skipIf(!existsSync("/usr/bin/promtool"))("promtool finds nothing to say", async () => {
  const { metrics } = world();
  new GrpcMetrics(metrics).started({ kind: "unary", service: "s", method: "m" });
  const input = await metrics.render("prometheus");
  expect(execFileSync("promtool", ["check", "metrics"], { input }).toString()).toBe("");
});
