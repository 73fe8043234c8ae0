import { describe, expect, test } from "vitest";
import { checkpointId, digest, jobId, nodeId } from "../../base/ids.ts";
import type { StoredPart } from "../../scheduler/core/commands.ts";
import type { DesiredTask, StopOrder } from "../../scheduler/core/desired.ts";
import type { TaskExit } from "../../scheduler/core/job.ts";
import { desiredTask, localTask } from "./fixture.ts";
import { applyLocal, EMPTY_LOCAL, type LocalEvent, type LocalState } from "./local.ts";
import { nextWakeMs, reconcile, STOP_ESCALATION_MS } from "./reconcile.ts";
import { newsOf, observe } from "./report.ts";

const LEASE = { untilMs: 1_000_000 };
const KEY = { jobId: jobId("job-1"), attempt: 1, rank: 0 };
const HERE = { host: "10.0.0.1", port: 4242 };
const CLEAN: TaskExit = { reason: "exited", code: 0, message: "" };
const FAILED: TaskExit = { reason: "exited", code: 1, message: "" };
const PREEMPTED: StopOrder = { reason: "preempted", deadlineMs: 60_000, wantsCheckpoint: true };

const wants = (...tasks: DesiredTask[]) => ({ generation: 5, tasks });
const fold = (state: LocalState, ...events: LocalEvent[]) => events.reduce(applyLocal, state);

/** Reconciles once and begins everything that it gave. */
function step(state: LocalState, desired: ReturnType<typeof wants> | null, nowMs = 0) {
  const actions = reconcile(state, desired, LEASE, nowMs);
  const begun = actions.map((action): LocalEvent => ({ kind: "began", action }));
  return { actions, state: fold(state, ...begun) };
}

function running(desired = wants(desiredTask())): LocalState {
  let { state } = step(EMPTY_LOCAL, desired);
  state = step(fold(state, { kind: "prepared", key: KEY }), desired).state;
  state = fold(state, { kind: "rendezvous_chosen", key: KEY, rendezvous: HERE });
  state = step(state, desired).state;
  return fold(state, { kind: "launched", key: KEY });
}

describe("starting", () => {
  test("a task goes through preparing, choosing, launching, each ordered once", () => {
    const desired = wants(desiredTask());
    const first = step(EMPTY_LOCAL, desired);
    expect(first.actions).toEqual([{ kind: "prepare", task: desiredTask() }]);
    expect(step(first.state, desired).actions).toEqual([]);
    const second = step(fold(first.state, { kind: "prepared", key: KEY }), desired);
    expect(second.actions).toEqual([{ kind: "choose_rendezvous", key: KEY }]);
    expect(step(second.state, desired).actions).toEqual([]);
    const chosen = fold(second.state, { kind: "rendezvous_chosen", key: KEY, rendezvous: HERE });
    const third = step(chosen, desired);
    expect(third.actions).toEqual([{ kind: "launch", task: desiredTask(), rendezvous: HERE }]);
    expect(step(third.state, desired).actions).toEqual([]);
  });

  test("where rank 0 listens is told at once, to a gang; that it prepares can wait", () => {
    const observed = (nodes: number, rendezvous: typeof HERE | null) => {
      const task = localTask({ kind: "waiting_rendezvous" }, { nodes, rendezvous });
      return observe({ ...EMPTY_LOCAL, tasks: [task] }, null);
    };
    expect(newsOf(observed(2, null))).toEqual([]);
    expect(newsOf(observed(2, HERE))).toMatchObject([
      { ...KEY, state: { kind: "preparing" }, rendezvous: HERE },
    ]);
    expect(observed(1, HERE)).toMatchObject([{ ...KEY, rendezvous: null }]);
    expect(newsOf(observed(1, HERE))).toEqual([]);
    expect(newsOf(observe(running(), null))).toHaveLength(1);
  });

  test("another rank than 0 waits until the scheduler says where rank 0 listens", () => {
    const key = { ...KEY, rank: 1 };
    const waiting = { ...EMPTY_LOCAL, tasks: [localTask({ kind: "waiting_rendezvous" }, key)] };
    const silent = desiredTask({ rank: 1, nodeNames: [nodeId("a"), nodeId("b")] });
    expect(step(waiting, wants(silent)).actions).toEqual([]);
    const told = { ...silent, rendezvous: HERE };
    expect(step(waiting, wants(told)).actions).toEqual([
      { kind: "launch", task: told, rendezvous: HERE },
    ]);
  });

  test("an attempt that was here before never starts again, nor does an older one", () => {
    const gone = step(
      fold(running(), { kind: "exited", key: KEY, exit: FAILED, nowMs: 0 }),
      wants(),
    );
    const forgotten = step(step(gone.state, wants()).state, wants()).state;
    expect(forgotten.tasks).toEqual([]);
    expect(step(forgotten, wants(desiredTask())).actions).toEqual([]);
    const newer = desiredTask({ attempt: 2 });
    expect(step(forgotten, wants(newer)).actions).toEqual([{ kind: "prepare", task: newer }]);
  });

  test("what waits for the lease or for an older attempt is reported, or it would count as lost", () => {
    const desired = wants(desiredTask());
    expect(reconcile(EMPTY_LOCAL, desired, { untilMs: 0 }, 1)).toEqual([]);
    expect(observe(EMPTY_LOCAL, desired)).toMatchObject([{ ...KEY, state: { kind: "preparing" } }]);
    const newer = wants(desiredTask({ attempt: 2 }));
    expect(observe(step(running(), newer).state, newer).map((task) => task.attempt)).toEqual([
      1, 2,
    ]);
    const over = fold(running(), { kind: "began", action: { kind: "forget", key: KEY } });
    expect(observe(over, desired)).toEqual([]);
  });

  test("a newer attempt waits until the older one's processes are gone", () => {
    const newer = desiredTask({ attempt: 2 });
    const { actions, state } = step(running(), wants(newer));
    expect(actions).toEqual([{ kind: "kill", key: KEY, why: "superseded" }]);
    expect(step(state, wants(newer)).actions).toEqual([]);
    const dead = fold(state, { kind: "exited", key: KEY, exit: FAILED, nowMs: 0 });
    expect(step(dead, wants(newer)).actions).toEqual([
      { kind: "forget", key: KEY },
      { kind: "prepare", task: newer },
    ]);
  });

  test("of two attempts wanted at once only the newer starts", () => {
    const newer = desiredTask({ attempt: 2 });
    expect(step(EMPTY_LOCAL, wants(desiredTask(), newer)).actions).toEqual([
      { kind: "prepare", task: newer },
    ]);
  });

  test("a task that is to stop is not started", () => {
    expect(step(EMPTY_LOCAL, wants(desiredTask({ stop: PREEMPTED }))).actions).toEqual([]);
  });
});

describe("stopping", () => {
  test("an order is given once, and again when its deadline comes nearer", () => {
    const first = step(running(), wants(desiredTask({ stop: PREEMPTED })));
    expect(first.actions).toEqual([
      { kind: "stop", key: KEY, order: PREEMPTED, signal: "SIGTERM" },
    ]);
    const jitter = { ...PREEMPTED, deadlineMs: 59_500 };
    expect(step(first.state, wants(desiredTask({ stop: jitter }))).actions).toEqual([]);
    const cancelled: StopOrder = {
      reason: "cancelled",
      deadlineMs: 90_000,
      wantsCheckpoint: false,
    };
    expect(step(first.state, wants(desiredTask({ stop: cancelled }))).actions).toEqual([
      { kind: "stop", key: KEY, order: { ...cancelled, deadlineMs: 60_000 }, signal: "SIGTERM" },
    ]);
  });

  test("what is still there after the deadline is killed", () => {
    const desired = wants(desiredTask({ stop: PREEMPTED }));
    const { state } = step(running(), desired);
    const due = PREEMPTED.deadlineMs + STOP_ESCALATION_MS;
    expect(nextWakeMs(state, LEASE)).toBe(due);
    expect(step(state, desired, due - 1).actions).toEqual([]);
    expect(step(state, desired, due).actions).toEqual([
      { kind: "kill", key: KEY, why: "deadline" },
    ]);
  });

  test("an end that was asked for waits for uploads, up to the deadline", () => {
    const desired = wants(desiredTask({ stop: PREEMPTED }));
    const stopping = step(running(), desired).state;
    const over = fold(stopping, { kind: "exited", key: KEY, exit: FAILED, nowMs: 10_000 });
    expect(observe(over, null)[0]?.state).toEqual({ kind: "running" });
    const flushing = step(over, desired, 10_000);
    expect(flushing.actions).toEqual([{ kind: "flush_uploads", key: KEY, untilMs: 60_000 }]);
    expect(step(flushing.state, desired, 59_999).actions).toEqual([]);
    const late = step(flushing.state, desired, 60_000);
    expect(late.actions).toEqual([{ kind: "abandon_uploads", key: KEY }]);
    expect(observe(late.state, null)[0]?.state).toEqual({
      kind: "ended",
      exit: { ...FAILED, reason: "stopped" },
    });
    const done = fold(flushing.state, { kind: "uploads_done", key: KEY });
    expect(observe(done, null)).toEqual(observe(late.state, null));
  });

  test("a script that goes on is ended once a checkpoint taken after the order is committed", () => {
    const { state } = step(running(), wants(desiredTask({ stop: PREEMPTED })));
    const part = { step: 40, takenAtMs: 1, digest: digest("d"), sizeBytes: 9, uploadedBytes: 9 };
    const stored = (isAfterStop: boolean) =>
      fold(state, { kind: "part_stored", key: KEY, part, isAfterStop });
    const committedCheckpoints = [checkpointId("job-1/000000000040-1")];
    const waiting = wants(desiredTask({ stop: PREEMPTED }));
    const committed = wants(desiredTask({ stop: PREEMPTED, committedCheckpoints }));
    expect(step(stored(true), waiting, 9_000).actions).toEqual([]);
    expect(step(stored(false), committed, 9_000).actions).toEqual([]);
    const end = step(stored(true), committed, 9_000);
    expect(end.actions).toEqual([
      { kind: "stop", key: KEY, order: { ...PREEMPTED, deadlineMs: 19_000 }, signal: "SIGTERM" },
    ]);
    expect(step(end.state, committed, 9_100).actions).toEqual([]);
  });

  test("a task that has no process yet ends as stopped", () => {
    const preparing = step(EMPTY_LOCAL, wants(desiredTask())).state;
    const { actions, state } = step(preparing, wants(desiredTask({ stop: PREEMPTED })));
    expect(actions).toEqual([{ kind: "kill", key: KEY, why: "stopped_early" }]);
    expect(observe(state, null)[0]?.state).toEqual({ kind: "preparing" });
    const exit: TaskExit = { reason: "killed", code: -1, message: "" };
    const over = fold(state, { kind: "exited", key: KEY, exit, nowMs: 0 });
    expect(observe(over, null)[0]?.state).toEqual({
      kind: "ended",
      exit: { ...exit, reason: "stopped" },
    });
  });
});

describe("ending", () => {
  test("a failed member of a gang is reported at once, its uploads notwithstanding", () => {
    const lone = fold(running(), { kind: "exited", key: KEY, exit: FAILED, nowMs: 7 });
    expect(lone.tasks[0]?.phase).toMatchObject({ kind: "flushing", untilMs: 120_007 });
    const gang = { ...running(), tasks: [localTask({ kind: "running" }, { nodes: 2 })] };
    const failed = fold(gang, { kind: "exited", key: KEY, exit: FAILED, nowMs: 7 });
    expect(failed.tasks[0]?.phase).toEqual({ kind: "ended", exit: FAILED });
    const clean = fold(gang, { kind: "exited", key: KEY, exit: CLEAN, nowMs: 7 });
    expect(clean.tasks[0]?.phase.kind).toBe("flushing");
  });

  test("an ended task is reported until the scheduler does not want it any more", () => {
    const over = { ...EMPTY_LOCAL, tasks: [localTask({ kind: "ended", exit: CLEAN })] };
    expect(step(over, wants(desiredTask())).actions).toEqual([]);
    expect(step(over, null).actions).toEqual([]);
    expect(step(over, wants()).actions).toEqual([{ kind: "forget", key: KEY }]);
  });

  test("what is not desired is killed at once, and until something is desired nothing is", () => {
    expect(step(running(), null).actions).toEqual([]);
    expect(step(running(), wants()).actions).toEqual([
      { kind: "kill", key: KEY, why: "not_desired" },
    ]);
  });

  test("without a lease everything is killed, nothing starts, and the end says why", () => {
    const desired = wants(desiredTask(), desiredTask({ jobId: jobId("job-2") }));
    const actions = reconcile(running(), desired, LEASE, LEASE.untilMs);
    expect(actions).toEqual([{ kind: "kill", key: KEY, why: "lease_expired" }]);
    const killing = fold(
      running(),
      ...actions.map((action): LocalEvent => ({ kind: "began", action })),
    );
    const exit: TaskExit = { reason: "signalled", code: 137, message: "" };
    const over = fold(killing, { kind: "exited", key: KEY, exit, nowMs: LEASE.untilMs });
    expect(over.tasks[0]?.phase).toEqual({
      kind: "ended",
      exit: { ...exit, reason: "lease_expired" },
    });
    expect(nextWakeMs(running(), LEASE)).toBe(LEASE.untilMs);
  });

  test("uploads go on without a lease, up to their deadline", () => {
    const over = fold(running(), { kind: "exited", key: KEY, exit: CLEAN, nowMs: 10_000 });
    const noLease = { untilMs: 11_000 };
    const begun = reconcile(over, null, noLease, 12_000);
    expect(begun).toEqual([{ kind: "flush_uploads", key: KEY, untilMs: 130_000 }]);
    const flushing = fold(over, ...begun.map((action): LocalEvent => ({ kind: "began", action })));
    expect(nextWakeMs(flushing, noLease)).toBe(130_000);
    expect(reconcile(flushing, null, noLease, 129_999)).toEqual([]);
    expect(reconcile(flushing, null, noLease, 130_000)).toEqual([
      { kind: "abandon_uploads", key: KEY },
    ]);
  });

  test("a part is reported until the scheduler says that its checkpoint is committed", () => {
    const part: StoredPart = {
      step: 40,
      takenAtMs: 1,
      digest: digest("d"),
      sizeBytes: 9,
      uploadedBytes: 9,
    };
    const stored = fold(running(), { kind: "part_stored", key: KEY, part, isAfterStop: false });
    expect(observe(stored, null)[0]?.parts).toEqual([part]);
    const id = checkpointId("job-1/000000000040-1");
    const tasks = [desiredTask({ committedCheckpoints: [id] })];
    expect(observe(fold(stored, { kind: "desired", tasks }), null)[0]?.parts).toEqual([]);
  });

  test("news of a task that was stopped meanwhile changes nothing", () => {
    const stopping = step(running(), wants(desiredTask({ stop: PREEMPTED }))).state;
    expect(fold(stopping, { kind: "launched", key: KEY })).toEqual(stopping);
    expect(fold(stopping, { kind: "prepared", key: KEY })).toEqual(stopping);
  });
});
