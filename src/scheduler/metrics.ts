// The scheduler's metrics. Gauges and totals are read from the live state at each scrape, so that
// they cannot disagree with it; histograms are fed by the loop and by committed events.

import { SECOND_MS } from "../base/time.ts";
import { type MetricsRegistry, setCounter, setGauge } from "../obs/metrics.ts";
import type { ClusterState } from "./core/state.ts";
import type { HoldCounts } from "./core/admission.ts";
import type { BatchReport, LoopObserver, LoopStats, PlanReport } from "./loop-observer.ts";
import { type AgentReadings, clusterGauges } from "./metrics-cluster.ts";
import { queueCounters, queueGauges } from "./metrics-queues.ts";
import type { SweepParts } from "./sweep.ts";

export interface SchedulerMetricsSources {
  readonly state: () => ClusterState;
  /** As `SchedulerLoop.holdCounts`. */
  readonly holdCounts: () => HoldCounts;
  readonly stats: () => LoopStats;
  /** Size of each LMDB data file, by name: `scheduler`, `tracker`. */
  readonly storeBytes: () => ReadonlyMap<string, number>;
  readonly agents: AgentReadings;
}

const CYCLE_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const COMMIT_BUCKETS = [0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** What sweeps of the object store have deleted. */
export function sweepMetrics(metrics: MetricsRegistry): SweepParts["onDeleted"] {
  const objects = metrics.counter(
    "trainyard_object_store_swept_objects_total",
    "Objects that no job needed and a sweep deleted.",
  );
  const bytes = metrics.counter(
    "trainyard_object_store_swept_bytes_total",
    "What these objects held.",
  );
  return (count, sizeBytes) => {
    objects.inc(count);
    bytes.inc(sizeBytes);
  };
}

/** What the loop reports, as metrics. Made before the loop, since the loop reports to it. */
export function loopMetrics(metrics: MetricsRegistry): LoopObserver {
  const cycle = metrics.histogram(
    "trainyard_scheduler_cycle_seconds",
    "Time that one planning pass computed, without its commit.",
    CYCLE_BUCKETS,
  );
  const commit = metrics.histogram(
    "trainyard_log_commit_seconds",
    "Time until a batch of events was durable.",
    COMMIT_BUCKETS,
  );
  const batch = metrics.histogram(
    "trainyard_loop_batch_commands",
    "Commands that were decided and committed together.",
    BATCH_BUCKETS,
  );
  const commands = metrics.counter(
    "trainyard_commands_total",
    "Commands that the writer loop decided, by outcome.",
    ["outcome"],
  );
  const decisions = metrics.counter(
    "trainyard_scheduler_decisions_total",
    "What planning passes decided, by kind.",
    ["kind"],
  );
  return {
    batchDone(report: BatchReport) {
      batch.observe(report.commands);
      commands.inc({ outcome: "accepted" }, report.commands - report.refusals);
      commands.inc({ outcome: "refused" }, report.refusals);
      if (report.events > 0) commit.observe(report.commitMs / SECOND_MS);
    },
    planDone(report: PlanReport) {
      cycle.observe(report.planMs / SECOND_MS);
      decisions.inc({ kind: "start" }, report.starts);
      decisions.inc({ kind: "evict" }, report.evictions);
      decisions.inc({ kind: "reserve" }, report.reservations);
    },
  };
}

/** Everything that is read from the live state at a scrape. */
export function stateMetrics(metrics: MetricsRegistry, sources: SchedulerMetricsSources): void {
  const fillCluster = clusterGauges(metrics);
  const fillQueues = queueGauges(metrics);
  const fillCounts = queueCounters(metrics);
  const fillTotals = totalCounters(metrics);
  const fillLoop = loopGauges(metrics);
  metrics.onScrape(() => {
    const state = sources.state();
    fillCluster(state, sources.agents);
    fillQueues(state, sources.holdCounts());
    fillCounts(state);
    fillTotals(state);
    fillLoop(sources.stats(), sources.storeBytes());
  });
}

/** Counters of the state: they are in the log, so a restart goes on where it was. */
function totalCounters(metrics: MetricsRegistry): (state: ClusterState) => void {
  const thrash = metrics.counter(
    "trainyard_preemption_thrash_total",
    "Preempted attempts whose preemptor did not start on what they freed. Must stay 0.",
  );
  const nodesLost = metrics.counter("trainyard_nodes_lost_total", "Nodes whose lease ran out.");
  const gpuSeconds = metrics.counter(
    "trainyard_gpu_seconds_total",
    "GPU time of ended tasks: useful, or lost since it has to be done again.",
    ["class"],
  );
  const checkpoints = metrics.counter(
    "trainyard_checkpoints_committed_total",
    "Checkpoints that are complete and durable.",
  );
  return ({ totals }) => {
    setCounter(thrash, [[{}, totals.thrash]]);
    setCounter(nodesLost, [[{}, totals.nodeLosses]]);
    const usefulMs = Math.max(0, totals.usedGpuMs - totals.lostGpuMs);
    setCounter(gpuSeconds, [
      [{ class: "useful" }, usefulMs / SECOND_MS],
      [{ class: "lost" }, totals.lostGpuMs / SECOND_MS],
    ]);
    setCounter(checkpoints, [[{}, totals.checkpointsCommitted]]);
  };
}

function loopGauges(metrics: MetricsRegistry) {
  const depth = metrics.gauge("trainyard_loop_queue_commands", "Commands that wait for the loop.");
  const lastPlan = metrics.gauge(
    "trainyard_scheduler_cycle_last_success_timestamp_seconds",
    "When the last planning pass ended well; 0 before the first.",
  );
  const skew = metrics.gauge(
    "trainyard_clock_skew_seconds",
    "Wall clock minus the clock that dates the events.",
  );
  const seq = metrics.counter("trainyard_log_events_total", "Events in the log since it began.");
  const bytes = metrics.gauge("trainyard_lmdb_bytes", "Size of the data file.", ["db"]);
  return (stats: LoopStats, storeBytes: ReadonlyMap<string, number>): void => {
    depth.set(stats.queueDepth);
    lastPlan.set((stats.lastPlanAtMs ?? 0) / SECOND_MS);
    skew.set(stats.clockSkewMs / SECOND_MS);
    setCounter(seq, [[{}, stats.seq]]);
    setGauge(
      bytes,
      [...storeBytes].map(([db, size]) => [{ db }, size] as const),
    );
  };
}
