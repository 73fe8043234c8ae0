// Gauges of queues and their jobs. Reads the state, changes nothing.

import type { QueuePath } from "../base/ids.ts";
import { type MetricsRegistry, setCounter, setGauge } from "../obs/metrics.ts";
import type { HoldCounts } from "./core/admission.ts";
import { fairShares } from "./core/fair-share.ts";
import { queueLineage } from "./core/lookup.ts";
import type { ClusterState, QueueCounts } from "./core/state.ts";

type Fill = (state: ClusterState, holdCounts: HoldCounts) => void;
type Series<L extends string> = readonly (readonly [Readonly<Record<L, string>>, number])[];

export function queueGauges(metrics: MetricsRegistry): Fill {
  const gpus = metrics.gauge(
    "trainyard_queue_gpus",
    "GPUs of a queue with those below it, by kind; `limit` only where there is one.",
    ["queue", "kind"],
  );
  const pendingJobs = metrics.gauge(
    "trainyard_queue_pending_jobs",
    "Jobs that wait in the queue itself, by why.",
    ["queue", "reason"],
  );
  const pending = metrics.gauge("trainyard_queue_pending_gpus", "GPUs that they ask for.", [
    "queue",
  ]);
  const running = metrics.gauge("trainyard_queue_running_jobs", "Jobs that hold GPUs.", ["queue"]);
  const fair = metrics.gauge(
    "trainyard_queue_fair_share_ratio",
    "Part of the cluster's GPUs that the queue would hold if all were shared fairly now.",
    ["queue"],
  );
  const actual = metrics.gauge(
    "trainyard_queue_usage_share_ratio",
    "Part of the cluster's GPUs that the queue holds now.",
    ["queue"],
  );
  const dominant = metrics.gauge(
    "trainyard_queue_dominant_share_ratio",
    "Largest part of the cluster's GPUs, CPUs or memory that the queue holds now.",
    ["queue"],
  );
  const fairnessError = metrics.gauge(
    "trainyard_queue_fairness_error_ratio",
    "That less the largest part that is due to it; negative = it has less than its due.",
    ["queue"],
  );
  return (state, holdCounts) => {
    const shares = fairShares(state, state.atMs);
    const total = usableGpus(state);
    const ratio = (held: number): number => (total === 0 ? 0 : held / total);
    setGauge(gpus, gpuSeries(state));
    setGauge(pendingJobs, pendingSeries(holdCounts));
    setGauge(
      pending,
      perQueue(state, (path) => pendingGpus(state, path)),
    );
    setGauge(running, runningSeries(state));
    setGauge(
      fair,
      perQueue(state, (path) => ratio((shares.get(path)?.dueMilliGpus ?? 0) / 1_000)),
    );
    const part = (path: QueuePath, of: "held" | "due"): number => {
      const share = shares.get(path);
      return share === undefined ? 0 : share[of].milliGpus / share.clusterMilliGpus;
    };
    setGauge(
      dominant,
      perQueue(state, (path) => part(path, "held")),
    );
    setGauge(
      fairnessError,
      perQueue(state, (path) => part(path, "held") - part(path, "due")),
    );
    setGauge(
      actual,
      perQueue(state, (path) => ratio(state.queues.get(path)?.allocated.gpus ?? 0)),
    );
  };
}

/** Counters of the state: they are in the log, so a restart goes on where it was. */
export function queueCounters(metrics: MetricsRegistry): (state: ClusterState) => void {
  const submitted = metrics.counter("trainyard_jobs_submitted_total", "Jobs accepted.", ["queue"]);
  const finished = metrics.counter("trainyard_jobs_finished_total", "Jobs that ended, by state.", [
    "queue",
    "state",
  ]);
  const placed = metrics.counter("trainyard_jobs_placed_total", "Attempts that got their GPUs.", [
    "queue",
  ]);
  const preempted = metrics.counter(
    "trainyard_jobs_preempted_total",
    "Attempts that were asked to leave, by the queue that they were in and the reason.",
    ["queue", "reason"],
  );
  return (state) => {
    const counts = leavesOf(state);
    setCounter(
      submitted,
      counts.map(([queue, { submitted: jobs }]) => [{ queue }, jobs] as const),
    );
    setCounter(
      finished,
      counts.flatMap(([queue, ended]) =>
        STATES.map((one) => [{ queue, state: one }, ended[one]] as const),
      ),
    );
    setCounter(
      placed,
      counts.map(([queue, { placements }]) => [{ queue }, placements] as const),
    );
    setCounter(
      preempted,
      counts.flatMap(([queue, { preemptions }]) =>
        Object.entries(preemptions).map(([reason, jobs]) => [{ queue, reason }, jobs] as const),
      ),
    );
  };
}

const STATES = ["succeeded", "failed", "cancelled"] as const;

/** Queues with jobs of their own, now or before: the others would only be zeros. */
function leavesOf(state: ClusterState): readonly (readonly [QueuePath, QueueCounts])[] {
  const queues = [...state.queues.keys()];
  const parents = new Set(queues.flatMap((path) => queueLineage(path).slice(1)));
  return [...state.queues].flatMap(([path, { counts }]) =>
    parents.has(path) && counts.submitted === 0 ? [] : [[path, counts] as const],
  );
}

function perQueue(state: ClusterState, value: (path: QueuePath) => number): Series<"queue"> {
  return [...state.queues.keys()].map((queue) => [{ queue }, value(queue)] as const);
}

function gpuSeries(state: ClusterState): Series<"queue" | "kind"> {
  return [...state.queues.values()].flatMap(({ spec, allocated }) => {
    const { path: queue, guarantee, limit } = spec;
    const series: [{ queue: string; kind: string }, number][] = [
      [{ queue, kind: "guaranteed" }, guarantee],
      [{ queue, kind: "used" }, allocated.gpus],
      [{ queue, kind: "borrowed" }, Math.max(0, allocated.gpus - guarantee)],
    ];
    if (limit !== null) series.push([{ queue, kind: "limit" }, limit]);
    return series;
  });
}

function pendingSeries(holdCounts: HoldCounts): Series<"queue" | "reason"> {
  return [...holdCounts].flatMap(([queue, counts]) =>
    [...counts].map(([reason, count]) => [{ queue, reason }, count] as const),
  );
}

/** Of the queue itself: sums over queues then count each job once. */
function pendingGpus(state: ClusterState, path: QueuePath): number {
  const queue = state.pending.queue(path);
  return (queue?.admitted.asked.gpus ?? 0) + (queue?.withheld.asked.gpus ?? 0);
}

function runningSeries(state: ClusterState): Series<"queue"> {
  const counts = new Map<QueuePath, number>();
  for (const { spec } of state.active.values()) {
    const { queue } = spec;
    counts.set(queue, (counts.get(queue) ?? 0) + 1);
  }
  return perQueue(state, (path) => counts.get(path) ?? 0);
}

function usableGpus(state: ClusterState): number {
  let gpus = 0;
  for (const node of state.nodes.values()) if (node.health === "up") gpus += node.spec.gpus.length;
  return gpus;
}
