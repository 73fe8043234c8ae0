// What an explanation promises is what the planner then does: in random worlds each promise is kept on
// the spot, through the real cycle. Forecasts are only estimates; they must not touch the state.

import fc from "fast-check";
import { expect, test } from "vitest";
import { must } from "../../src/base/assert.ts";
import { compareJobIds, type JobId, type QueuePath } from "../../src/base/ids.ts";
import { holdOf } from "../../src/scheduler/core/admission.ts";
import type { Command } from "../../src/scheduler/core/commands.ts";
import { planStep, step } from "../../src/scheduler/core/cycle.ts";
import { explain } from "../../src/scheduler/core/explain.ts";
import { type Leftovers, leftoversOf } from "../../src/scheduler/core/explain-when.ts";
import type { World } from "../../src/scheduler/core/fixture.ts";
import { forkState } from "../../src/scheduler/core/fork.ts";
import { invariants } from "../../src/scheduler/core/invariants.ts";
import type { Job, JobSpec } from "../../src/scheduler/core/job.ts";
import type { Plan } from "../../src/scheduler/core/plan-types.ts";
import {
  asNew,
  planFor,
  previewOf,
  previewPass,
  suppose,
} from "../../src/scheduler/core/preview.ts";
import { remedyFor } from "../../src/scheduler/core/remedy.ts";
import { encodeState } from "../../src/scheduler/core/snapshot.ts";
import { forecastStarts } from "../../src/scheduler/core/start-forecast.ts";
import type { MutableClusterState } from "../../src/scheduler/core/state.ts";
import { happen, open, stories, type Story } from "./worlds.ts";

const SEED = Number(process.env["TRAINYARD_SEED"] ?? 20_260_101);
const RUNS = Number(process.env["TRAINYARD_RUNS"] ?? 400);
const HAPPENINGS = 30;
/** Of those who wait in a state: each costs passes. */
const LOOKED_AT_MAX = 3;
/** Beyond everyone's patience. */
const LATER_MS = 700_000;

const kept = { starts: 0, preemptions: 0, previews: 0, spared: 0, newcomers: 0 };

function always(
  each: (world: World, waiting: readonly JobId[], left: Leftovers & Pick<Plan, "holds">) => void,
): void {
  console.log(`seed ${SEED}, ${RUNS} stories`);
  const body = (story: Story): void => {
    const world = open(story);
    for (const happening of story.happenings) {
      happen(world, story, happening);
      if (happening.kind !== "plan") continue;
      const fork = forkState(world.state);
      const { plan, events } = planStep(fork, world.nowMs);
      const { holds } = plan;
      // The copy went on where it found something to do.
      const findings = events.length === 0 ? plan.findings : null;
      const waiting = [...world.state.pending.ids()].sort(compareJobIds).slice(0, LOOKED_AT_MAX);
      each(world, waiting, { holds, ...leftoversOf(holds, () => findings) });
    }
  };
  fc.assert(fc.property(stories(HAPPENINGS), body), { seed: SEED, numRuns: RUNS });
}

test("a job that is changed as the remedy says starts in the next pass, or preempts whom it says", () => {
  always((world, waiting, left) => {
    for (const id of waiting) {
      const { state, nowMs } = world;
      const job = world.job(id);
      const remedy = remedyFor({ state, nowMs, left }, job, holdOf(state, left.holds, id));
      if (remedy === null || remedy.spec === null) continue;
      expect(outcomeOf(forkState(state), job, remedy.spec, nowMs)).toEqual({
        isPlaced: true,
        evictions: remedy.evictions,
        faults: [],
      });
      if (remedy.evictions.length > 0) kept.preemptions += 1;
      else kept.starts += 1;
    }
  });
});

test("what the last pass left spares proofs, and no remedy is lost to it", () => {
  always((world, waiting, left) => {
    for (const id of waiting) {
      const { state, nowMs } = world;
      const hold = holdOf(state, left.holds, id);
      const job = world.job(id);
      const proven = remedyFor({ state, nowMs, left: null }, job, hold);
      if (proven === null) continue;
      expect(remedyFor({ state, nowMs, left }, job, hold)).toEqual(proven);
      kept.spared += 1;
    }
  });
});

test("to tell of one more job, those need no look whom the last pass refused", () => {
  always((world, waiting, left) => {
    const { state, nowMs, policy } = world;
    const known = left.findings();
    if (known === null) return;
    for (const id of waiting) {
      const { spec, owner } = world.job(id);
      for (const priorityClass of Object.keys(policy.priorityClasses)) {
        for (const queue of leaves(world)) {
          const changed = { ...asNew(spec), queue, priorityClass };
          const supposed = suppose(state, [{ kind: "job.submit", spec: changed }], owner, nowMs);
          if (supposed.kind === "refusal") continue;
          const newcomer = must(supposed.jobId, "a job");
          const [by, looked] = [known, null].map((found) =>
            previewOf(planFor(supposed.state, newcomer, nowMs, found), newcomer),
          );
          expect(by).toEqual(looked);
          kept.newcomers += looked?.kind === "waits" ? 0 : 1;
        }
      }
    }
  });
});

const leaves = ({ state }: World): readonly QueuePath[] => {
  const paths = [...state.queues.keys()];
  return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
};

/** What a pass does with the job when it is withdrawn and submitted anew as `spec`. */
function outcomeOf(
  state: MutableClusterState,
  { id, owner: actor }: Job,
  spec: JobSpec,
  nowMs: number,
) {
  const send = (command: Command): JobId | null => {
    const { reply } = step(state, { command, actor, request: null }, nowMs);
    return reply.kind === "accepted" ? reply.jobId : null;
  };
  send({ kind: "job.cancel", jobId: id, why: "" });
  const submitted = send({ kind: "job.submit", spec });
  const { plan } = planStep(state, nowMs);
  const placed = [...plan.starts, ...plan.reservations].map(({ jobId }) => jobId as JobId | null);
  const evictions = plan.evictions.filter(({ preemptor }) => preemptor === submitted);
  return { isPlaced: placed.includes(submitted), evictions, faults: invariants(state) };
}

test("the preview of a pass is the pass", () => {
  always((world, waiting) => {
    for (const id of waiting) {
      const atMs = world.nowMs + LATER_MS;
      const preview = previewPass(world.state, id, atMs);
      const { plan } = planStep(forkState(world.state), atMs);
      const start = plan.starts.find(({ jobId }) => jobId === id);
      const evictions = plan.evictions.filter(({ preemptor }) => preemptor === id);
      expect({
        placement: preview.kind === "starts" ? preview.placement : undefined,
        evictions: preview.kind === "reserves" ? preview.evictions : [],
      }).toEqual({ placement: start?.placement, evictions });
      kept.previews += 1;
    }
  });
});

test("asking changes nothing", () => {
  always((world, waiting, left) => {
    const { state, nowMs } = world;
    const before = [...encodeState(state)];
    const starts = forecastStarts(state, nowMs);
    for (const id of waiting)
      explain({ state, nowMs, starts, left }, id, holdOf(state, left.holds, id));
    expect([...encodeState(state)]).toEqual(before);
    expect(invariants(state)).toEqual([]);
  });
});

test("promises were made", () => {
  console.log(`promises kept: ${JSON.stringify(kept)}`);
  expect(Math.min(...Object.values(kept))).toBeGreaterThan(0);
});
