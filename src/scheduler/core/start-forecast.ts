// When a waiting job will start, as far as that can be known: the planner itself, on a pass whose clock
// moves. Running jobs end when jobs like them did, or at their time limit; what comes free goes to
// whoever the planner would give it to. It knows of nobody who is yet to come, of no node that fails,
// and preempts nobody: preview.ts says what preemption would do.
//
// One run in which everyone takes the median time would be wrong: of a hundred jobs that take an hour
// or so the first ends within minutes. So there are several runs; in each the jobs end at other parts
// of what is known about their kind, and the answers are quantiles over the runs. The work is bounded
// by counts: the larger the cluster and the longer its queues, the fewer runs and the coarser the time.

import { must } from "../../base/assert.ts";
import { popHeap, pushHeap } from "../../base/heap.ts";
import { compareJobIds, type JobId } from "../../base/ids.ts";
import { SECOND_MS } from "../../base/time.ts";
import { numberOfJob } from "./array.ts";
import type { Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { type HeldTask, Pass } from "./pass.ts";
import { Planner } from "./plan.ts";
import { expectedRemainingMs } from "./remaining-time.ts";
import { startReservations } from "./reservations.ts";
import type { Shape } from "./shape.ts";
import type { ClusterState, Policy } from "./state.ts";

export interface StartForecast {
  /** From now; null = not known, see `gap`. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  /** Not known beyond this, from now. */
  readonly horizonMs: number;
  /** Why there is no median; null where there is one. */
  readonly gap: ForecastGap | null;
}

/**
 * `run_times`: nothing is known about how long those in its way run. `far`: more happens before than is
 * looked at. `never`: it does not start even when everyone has ended.
 */
export type ForecastGap = "run_times" | "far" | "never";

/** What a forecast may cost; see `walkCost`. */
const COST_MAX = 160_000;
const RUNS_MAX = 9;
const RUNS_MIN = 3;
const WALKS_PER_RUN = 16;
/** Of a job that starts in a run: a placement, and its end. */
const START_COST = 100;
/** What happens within this, or an eighth of the way there, is one instant; see `#coarseness`. */
const STEP_MS_MIN = 5 * SECOND_MS;
const STEP_PARTS_MAX = 8;
/** A run that can pay for fewer walks takes longer steps. */
const WALKS_FOR_SMALL_STEPS = 64;

/** Of a job that is pending and admitted. */
export function forecastStart(state: ClusterState, jobId: JobId, nowMs: number): StartForecast {
  const costOfWalk = walkCost(state);
  const wanted = Math.floor(COST_MAX / (costOfWalk * WALKS_PER_RUN));
  const runs = Math.max(RUNS_MIN, Math.min(RUNS_MAX, wanted));
  const costMax = Math.floor(COST_MAX / runs);
  const outcomes = Array.from({ length: runs }, (_, run) => {
    const offset = Math.floor(((2 * run + 1) * 1_000) / (2 * runs));
    return new Run(state, nowMs, { offset, costOfWalk, costMax }).until(jobId);
  });
  outcomes.sort((a, b) => a.atMs - b.atMs);
  const median = must(outcomes[(runs - 1) >> 1], "median run");
  const late = must(outcomes[Math.ceil(runs * 0.9) - 1], "late run");
  return {
    p50Ms: median.gap === null ? median.atMs - nowMs : null,
    p90Ms: late.gap === null ? late.atMs - nowMs : null,
    horizonMs: Math.min(...outcomes.map(({ seenUntilMs }) => seenUntilMs)) - nowMs,
    gap: median.gap,
  };
}

/** What one walk costs, in looks: at nodes, at groups, and whatever else. */
function walkCost(state: ClusterState): number {
  let groups = 0;
  for (const [, { classes }] of state.pending.queues()) {
    for (const { lines } of classes.values())
      for (const line of lines.values()) groups += line.groups.size;
  }
  return 1_000 + state.nodes.size + groups;
}

interface Outcome {
  /** When it starts; beyond all time where `gap` says why that is not known. */
  readonly atMs: number;
  readonly gap: ForecastGap | null;
  readonly seenUntilMs: number;
}

interface Ending {
  readonly atMs: number;
  readonly job: Job;
  readonly held: readonly HeldTask[];
}

interface RunOptions {
  /** Where in the distributions the jobs of this run end, permille. */
  readonly offset: number;
  readonly costOfWalk: number;
  readonly costMax: number;
}

/** One way in which things may go. */
class Run {
  readonly #state: ClusterState;
  readonly #fromMs: number;
  readonly #options: RunOptions;
  readonly #pass: Pass;
  readonly #planner: Planner;
  readonly #shapes: ReadonlySet<Shape>;
  /** A heap. */
  readonly #ends: Ending[] = [];
  #startsSeen = 0;
  #endlessCount = 0;

  /** Small steps in one of this run. */
  readonly #coarseness: number;

  constructor(state: ClusterState, nowMs: number, options: RunOptions) {
    const { costMax, costOfWalk } = options;
    this.#coarseness = Math.max(1, Math.floor((WALKS_FOR_SMALL_STEPS * costOfWalk) / costMax));
    this.#state = state;
    this.#fromMs = nowMs;
    this.#options = options;
    const policy: Policy = { ...state.policy, isPreemptionEnabled: false };
    this.#pass = new Pass(state, nowMs, policy);
    this.#planner = new Planner(this.#pass);
    this.#shapes = shapesOf(state);
  }

  until(id: JobId): Outcome {
    const pass = this.#pass;
    this.#planner.begin();
    for (const jobs of pass.active.values()) {
      for (const job of jobs) this.#endLater(job, pass.heldBy(job));
    }
    const { costOfWalk, costMax } = this.#options;
    for (let cost = costOfWalk; cost <= costMax; cost += costOfWalk) {
      const startsBefore = pass.starts.length;
      this.#planner.walkRoom(this.#shapes);
      this.#planner.endWalk();
      startReservations(pass);
      this.#noteStarts();
      cost += (pass.starts.length - startsBefore) * START_COST;
      if (pass.isStarted(id)) return { atMs: pass.nowMs, gap: null, seenUntilMs: pass.nowMs };
      if (!this.#goOn()) return this.#unknown(this.#endlessCount > 0 ? "run_times" : "never");
    }
    return this.#unknown("far");
  }

  #unknown(gap: ForecastGap): Outcome {
    return { atMs: Number.MAX_SAFE_INTEGER, gap, seenUntilMs: this.#pass.nowMs };
  }

  /** To when the next jobs end, those that end soon after too; false when none does. */
  #goOn(): boolean {
    const next = this.#ends[0];
    if (next === undefined) return false;
    const wayMs = next.atMs - this.#fromMs;
    const stepMs = Math.max(STEP_MS_MIN, Math.floor(wayMs / STEP_PARTS_MAX));
    const untilMs = next.atMs + stepMs * this.#coarseness;
    const due: Ending[] = [];
    let atMs = this.#pass.nowMs;
    while (this.#ends[0] !== undefined && this.#ends[0].atMs <= untilMs) {
      const ending = popHeap(this.#ends, compareEndings);
      due.push(ending);
      atMs = Math.max(atMs, ending.atMs);
    }
    this.#planner.moveTo(atMs);
    this.#pass.release(due);
    return true;
  }

  #noteStarts(): void {
    const { starts } = this.#pass;
    for (; this.#startsSeen < starts.length; this.#startsSeen += 1) {
      const { jobId, placement } = must(starts[this.#startsSeen], "start");
      const job = jobOf(this.#state, jobId);
      const resources = job.spec.perNode;
      this.#endLater(
        job,
        placement.map((task) => ({ placement: task, resources })),
      );
    }
  }

  #endLater(job: Job, held: readonly HeldTask[]): void {
    const { nowMs } = this.#pass;
    const atMs = this.#endOf(job, nowMs);
    if (atMs === null) this.#endlessCount += 1;
    else pushHeap(this.#ends, { atMs: Math.max(nowMs, atMs), job, held }, compareEndings);
  }

  #endOf(job: Job, nowMs: number): number | null {
    const { phase, spec } = job;
    if (phase.kind === "stopping") return phase.deadlineMs;
    if (this.#pass.isLeaving(job.id)) return nowMs + spec.graceMs;
    const remainingMs = expectedRemainingMs(this.#state, job, nowMs, this.#permilleOf(job.id));
    return remainingMs === null ? null : nowMs + remainingMs;
  }

  /** Evenly spread over the jobs of a run, and for each job over the runs: steps of the golden ratio. */
  #permilleOf(id: JobId): number {
    return 1 + ((((numberOfJob(id) * 618) % 1_000) + this.#options.offset) % 999);
  }
}

function shapesOf(state: ClusterState): ReadonlySet<Shape> {
  const shapes = new Set<Shape>();
  for (const [, { classes }] of state.pending.queues()) {
    for (const { kinds } of classes.values()) {
      for (const { kind } of kinds.values()) shapes.add(kind.shape);
    }
  }
  return shapes;
}

const compareEndings = (a: Ending, b: Ending): number =>
  a.atMs - b.atMs || compareJobIds(a.job.id, b.job.id);
