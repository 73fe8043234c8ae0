import { afterEach, expect, test } from "vitest";
import { lossCurve } from "../../test/property/tracker-points.ts";
import { batchOf, TrackerWorld } from "../../test/property/tracker-world.ts";
import { MetricsRegistry } from "../obs/metrics.ts";
import { commitMetrics, trackerGauges } from "./metrics.ts";

const world = new TrackerWorld();
afterEach(() => world.remove());

test("points and commits are counted, and what waits is shown", async () => {
  const metrics = new MetricsRegistry(() => 0);
  const tracker = await world.open({ onCommit: commitMetrics(metrics) });
  trackerGauges(metrics, tracker);
  await tracker.storeBatch(batchOf({ from: 0, to: 10, points: lossCurve(42) }));
  const text = await metrics.render("prometheus");
  expect(text).toContain("trainyard_tracker_points_total 42");
  expect(text).toContain("trainyard_tracker_commit_seconds_count 1");
  expect(text).toContain("trainyard_tracker_waiting_points 0");
});
