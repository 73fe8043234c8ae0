// The tracker's figures for Prometheus: how fast it stores and what waits. Training metrics
// themselves never go there.

import type { MetricsRegistry } from "../obs/metrics.ts";
import type { Tracker, TrackerOptions } from "./tracker.ts";

const COMMIT_BUCKETS = [0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2];

/** Made before the tracker, since the tracker reports to it: pass it as `onCommit`. */
export function commitMetrics(metrics: MetricsRegistry): NonNullable<TrackerOptions["onCommit"]> {
  const commit = metrics.histogram(
    "trainyard_tracker_commit_seconds",
    "Time until a group of batches was durable.",
    COMMIT_BUCKETS,
  );
  const stored = metrics.counter("trainyard_tracker_points_total", "Metric points received.");
  return (seconds, points) => {
    commit.observe(seconds);
    stored.inc(points);
  };
}

/** What is read at each scrape. */
export function trackerGauges(metrics: MetricsRegistry, tracker: Pick<Tracker, "stats">): void {
  const waiting = metrics.gauge(
    "trainyard_tracker_waiting_points",
    "Metric points that wait to be written.",
  );
  metrics.onScrape(() => waiting.set(tracker.stats().waitingPoints));
}
