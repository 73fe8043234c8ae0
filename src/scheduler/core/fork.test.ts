import { expect, test } from "vitest";
import { ALICE, jobSpec, World } from "./fixture.ts";
import { step } from "./cycle.ts";
import { forkState, momentOf } from "./fork.ts";
import { invariants } from "./invariants.ts";
import { plan } from "./plan.ts";
import { encodeState } from "./snapshot.ts";

test("what happens in a copy of the state does not happen in the state", () => {
  const world = new World().nodes(2, 4);
  for (const priorityClass of ["low", "normal", "high"]) world.submit({ priorityClass, gpus: 3 });
  world.plan();
  const before = [...encodeState(world.state)];
  const holds = [...world.plan().holds];
  const fork = forkState(world.state);
  for (const jobId of world.state.jobs.keys()) {
    step(
      fork,
      { command: { kind: "job.cancel", jobId, why: "" }, actor: ALICE, request: null },
      2e6,
    );
  }
  const spec = jobSpec({ gpus: 1, after: [] });
  step(fork, { command: { kind: "job.submit", spec }, actor: ALICE, request: null }, 2e6);
  expect(invariants(fork)).toEqual([]);
  expect([...encodeState(world.state)]).toEqual(before);
  expect(invariants(world.state)).toEqual([]);
  expect([...plan(world.state, world.nowMs, world.policy).holds]).toEqual(holds);
});

test("what happens in the state later does not reach a copy", () => {
  const world = new World().nodes(1, 4);
  const first = world.submit({ gpus: 3 });
  world.submit({ gpus: 3, priorityClass: "low" });
  world.submit({ gpus: 3, beginAtMs: world.nowMs + 60_000 });
  const fork = forkState(world.state);
  const waiting = [...fork.pending.ids()];
  world.must({ kind: "job.cancel", jobId: first, why: "" });
  world.submit({ gpus: 2 });
  world.nowMs += 60_000;
  world.plan();
  world.submit();
  expect(invariants(world.state)).toEqual([]);
  expect([...fork.pending.ids()]).toEqual(waiting);
  expect(invariants(fork)).toEqual([]);
  expect(plan(fork, world.nowMs, world.policy).starts.map(({ jobId }) => jobId)).toEqual([first]);
});

test("a moment stays as it was while the state goes on, run times and all", () => {
  const world = new World().nodes(1, 1);
  const runOne = (): void => {
    const id = world.submit();
    world.plan();
    world.run();
    world.nowMs += 60_000;
    world.end(id);
  };
  runOne();
  const before = JSON.stringify([...encodeState(world.state)]);
  const moment = momentOf(world.state);
  runOne();
  expect(JSON.stringify([...encodeState(moment)])).toBe(before);
});
