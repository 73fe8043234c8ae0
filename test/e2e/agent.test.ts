// Whole agents against a scheduler that is only its wire: tasks start, stop, survive the agent, end
// with the lease; logs, terminals and metrics get out.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findMarked, isSameProcess } from "../../src/agent/proc.ts";
import type { ObservedTask__Output } from "../../src/rpc/gen/trainyard/v1/ObservedTask.ts";
import { waitFor } from "./agent-fixture.ts";
import { AgentWorld, keyOf, wireTask } from "./agent-world.ts";

const sh = (script: string) => ({ argv: ["/bin/sh", "-c", script] });
const isEnded = (task: ObservedTask__Output) => task.state === "ended";
const isRunning = (task: ObservedTask__Output) => task.state === "running";

let world: AgentWorld;
beforeEach(async () => {
  world = new AgentWorld();
  await world.scheduler.start();
});
afterEach(() => world.end());

describe("one task", () => {
  test("runs in its own environment, is reported, and forgotten when no longer wanted", async () => {
    const a = await world.start("a");
    const task = wireTask(
      sh('echo "$TRAINYARD_JOB_ID $TRAINYARD_ATTEMPT [$CUDA_VISIBLE_DEVICES] $(basename $PWD)"'),
    );
    world.scheduler.want("a", task);
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit).toEqual({ reason: "exited", code: 0, message: "" });
    expect(world.output(a, task)).toBe("job-1 1 [] work\n");
    world.scheduler.want("a");
    await waitFor("nothing to report", () => world.scheduler.node("a").tasks.length === 0);
  });

  test("a failure names its first error", async () => {
    await world.start("a");
    const script = 'print("up"); raise ValueError("bad learning rate")';
    world.scheduler.want("a", wireTask({ argv: ["python3", "-c", script] }));
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit).toEqual({ reason: "exited", code: 1, message: "ValueError: bad learning rate" });
  });

  test("a script that does not exist is named", async () => {
    await world.start("a");
    world.scheduler.want("a", wireTask({ script: "nowhere/train.py", procs: 1 }));
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit?.reason).toBe("prepare_failed");
    expect(exit?.message).toContain("nowhere/train.py");
  });

  test("a setup that fails keeps the command from starting, and its output is in the log", async () => {
    const a = await world.start("a");
    const task = wireTask(sh("echo never"));
    const spec = { ...task.spec, setup: "echo from setup; exit 4" };
    world.scheduler.want("a", { ...task, spec });
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit).toMatchObject({ reason: "prepare_failed", code: -1 });
    expect(exit?.message).toContain("ended with 4");
    expect(world.output(a, task)).toBe("from setup\n");
  });

  test("what was restored is in the resume folder", async () => {
    world.restored = (destDir) => {
      writeFileSync(join(destDir, "model.pt"), "weights");
      return Promise.resolve();
    };
    const a = await world.start("a");
    const resume = { checkpointId: "job-1/000000000007-1", step: 7, manifestDigest: "d" };
    const task = wireTask(sh("cat $TRAINYARD_RESUME_DIR/model.pt"), { attempt: 2, resume });
    world.scheduler.want("a", task);
    await world.scheduler.reported("a", "the end", isEnded);
    expect(world.output(a, task)).toBe("weights");
  });

  test("an attempt that is over never starts again, a newer one does", async () => {
    const a = await world.start("a");
    const task = wireTask(sh("echo ran"));
    world.scheduler.want("a", task);
    await world.scheduler.reported("a", "the end", isEnded);
    world.scheduler.want("a");
    await waitFor("nothing to report", () => world.scheduler.node("a").tasks.length === 0);
    world.scheduler.want("a", task, wireTask(sh("echo newer"), { jobId: "job-2" }));
    await world.scheduler.reported("a", "the other job", (t) => t.jobId === "job-2" && isEnded(t));
    expect(world.scheduler.node("a").tasks.map((t) => t.jobId)).toEqual(["job-2"]);
    expect(world.output(a, task)).toBe("ran\n");
  });
});

describe("stopping", () => {
  const stop = {
    reason: "preempted",
    deadlineUnixMs: 0,
    remainingMs: 30_000,
    wantsCheckpoint: true,
  };

  test("a preempted task saves, and is over only when its uploads are", async () => {
    const a = await world.start("a");
    const task = wireTask(
      sh("trap 'echo saved; exit 0' TERM; echo up; while :; do sleep 0.05; done"),
    );
    world.scheduler.want("a", task);
    await waitFor("the script", () => world.output(a, task) === "up\n");
    world.scheduler.want("a", { ...task, stop });
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit).toMatchObject({ reason: "stopped", code: 0 });
    expect(world.output(a, task)).toBe("up\nsaved\n");
    expect(a.flushes).toEqual(["job-1"]);
  });

  test("what is no longer wanted is killed with all its children", async () => {
    const a = await world.start("a");
    const task = wireTask(sh("setsid sleep 611 & echo up; sleep 612"));
    world.scheduler.want("a", task);
    await waitFor("the script", () => world.output(a, task) === "up\n");
    world.scheduler.want("a");
    const { root } = world.folder(a, task);
    await waitFor("nothing to report", () => world.scheduler.node("a").tasks.length === 0);
    expect(findMarked("TRAINYARD_TASK", root)).toEqual([]);
  });
});

describe("the agent goes away", () => {
  const ticking = wireTask(sh("i=0; while [ ! -f go ]; do i=$((i+1)); echo $i; sleep 0.01; done"));

  test("its tasks go on, the next agent takes them up, and the log is whole", async () => {
    const first = await world.start("a");
    world.scheduler.want("a", ticking);
    await world.scheduler.reported("a", "running", isRunning);
    const state = world.folder(first, ticking).supervisorState();
    await first.agent.stop();
    expect(state !== null && isSameProcess(state.process)).toBe(true);
    const second = await world.start("a");
    expect(world.scheduler.node("a").hello?.report?.tasks.map((t) => t.state)).toEqual(["running"]);
    writeFileSync(join(world.folder(second, ticking).work, "go"), "");
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit).toEqual({ reason: "exited", code: 0, message: "" });
    const lines = world.output(second, ticking).trim().split("\n");
    expect(lines).toEqual(lines.map((_, index) => String(index + 1)));
  });

  test("an end that it did not see is reported by the next one", async () => {
    const first = await world.start("a");
    world.scheduler.want("a", ticking);
    await world.scheduler.reported("a", "running", isRunning);
    await first.agent.stop();
    const folder = world.folder(first, ticking);
    writeFileSync(join(folder.work, "go"), "");
    await waitFor("the exit file", () => folder.exit());
    await world.start("a");
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit).toEqual({ reason: "exited", code: 0, message: "" });
  });

  test("a task without a supervisor is not left running, and its end says why", async () => {
    const first = await world.start("a");
    world.scheduler.want("a", ticking);
    await world.scheduler.reported("a", "running", isRunning);
    await first.agent.stop();
    const folder = world.folder(first, ticking);
    const state = folder.supervisorState();
    if (state !== null) process.kill(state.supervisor.pid, "SIGKILL");
    await waitFor("its end", () => state !== null && !isSameProcess(state.supervisor));
    expect(findMarked("TRAINYARD_TASK", folder.root)).not.toEqual([]);
    await world.start("a");
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit?.reason).toBe("supervisor_lost");
    expect(findMarked("TRAINYARD_TASK", folder.root)).toEqual([]);
  });

  test("two agents do not share a state folder", async () => {
    await world.start("a");
    await expect(world.start("a")).rejects.toThrow("in use");
  });
});

describe("the scheduler goes away", () => {
  test("tasks end with the lease, and that is what is told when it is back", async () => {
    world.scheduler.leaseMs = 2_000;
    const a = await world.start("a");
    const task = wireTask(sh("setsid sleep 613 & sleep 614"));
    world.scheduler.want("a", task);
    await world.scheduler.reported("a", "running", isRunning);
    const { root } = world.folder(a, task);
    world.scheduler.isDeaf = true;
    await waitFor("the end", () => findMarked("TRAINYARD_TASK", root).length === 0, 10_000);
    world.scheduler.isDeaf = false;
    world.scheduler.cut("a");
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit?.reason).toBe("lease_expired");
  });

  test("a connection that breaks for less than the lease stops nothing", async () => {
    const a = await world.start("a");
    const task = wireTask(sh("while [ ! -f go ]; do sleep 0.02; done"));
    world.scheduler.want("a", task);
    await world.scheduler.reported("a", "running", isRunning);
    world.scheduler.cut("a");
    await waitFor("the new stream", () => world.scheduler.node("a").stream);
    await world.scheduler.reported("a", "running still", isRunning);
    writeFileSync(join(world.folder(a, task).work, "go"), "");
    const { exit } = await world.scheduler.reported("a", "the end", isEnded);
    expect(exit?.code).toBe(0);
  });
});

describe("getting out", () => {
  test("metrics are shipped once, also across a restart of the agent", async () => {
    const script = `i=0; while [ ! -f go ]; do i=$((i+1)); echo "{\\"step\\": $i, \\"loss\\": $i}"; sleep 0.02; done`;
    const task = wireTask(sh(script));
    const first = await world.start("a");
    world.scheduler.want("a", task);
    await waitFor("some metrics", () => world.scheduler.batches.length >= 2);
    await first.agent.stop();
    const second = await world.start("a");
    writeFileSync(join(world.folder(second, task).work, "go"), "");
    await world.scheduler.reported("a", "the end", isEnded);
    const count = world.output(second, task).trim().split("\n").length;
    const steps = () => world.scheduler.batches.flatMap((batch) => batch.points.map((p) => p.step));
    await waitFor("all of them", () => steps().length >= count);
    expect(steps()).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  });

  test("a log channel follows both streams to the end", async () => {
    const a = await world.start("a");
    const task = wireTask(
      sh("echo one; echo oops >&2; while [ ! -f go ]; do sleep 0.02; done; echo two"),
    );
    world.scheduler.want("a", task);
    await world.scheduler.reported("a", "running", isRunning);
    const logs = { jobId: "job-1", attempt: 1, rank: 0, follow: true, tailLines: 0 };
    const channel = await world.scheduler.channel("a", { logs });
    await waitFor("the first lines", () => {
      return channel.log("stdout") === "one\n" && channel.log("stderr") === "oops\n";
    });
    writeFileSync(join(world.folder(a, task).work, "go"), "");
    await waitFor("the end of the stream", () => channel.isEnded);
    expect(channel.log("stdout")).toBe("one\ntwo\n");
  });

  test("a terminal is in the task's environment", async () => {
    const a = await world.start("a");
    const task = wireTask(sh("exec sleep 615"));
    world.scheduler.want("a", task);
    await world.scheduler.reported("a", "running", isRunning);
    const attach = { jobId: "job-1", attempt: 1, rank: 0, size: { columns: 91, rows: 30 } };
    const argv = [
      "/bin/sh",
      "-c",
      'stty size; echo "$TRAINYARD_JOB_ID"; read line; echo "<$line>"; exit 9',
    ];
    const channel = await world.scheduler.channel("a", { attach: { ...attach, argv } });
    await waitFor("the prompt", () => channel.terminal().text.includes("job-1"));
    channel.write({ input: Buffer.from("hello\n") });
    await waitFor("the end", () => channel.terminal().exitCode !== null);
    expect(channel.terminal()).toEqual({ text: "30 91\njob-1\nhello\n<hello>\n", exitCode: 9 });
    expect(a.agent.tasks.isAlive(keyOf(task))).toBe(true);
  });

  test("hanging up ends the terminal's command and leaves the task alone", async () => {
    const a = await world.start("a");
    const task = wireTask(sh("exec sleep 616"));
    world.scheduler.want("a", task);
    await world.scheduler.reported("a", "running", isRunning);
    const { root } = world.folder(a, task);
    const attach = { jobId: "job-1", attempt: 1, rank: 0, argv: ["/bin/sleep", "617"] };
    const channel = await world.scheduler.channel("a", { attach });
    await waitFor("the terminal", () => findMarked("TRAINYARD_TASK", root).length === 2);
    channel.hangUp();
    await waitFor("its end", () => findMarked("TRAINYARD_TASK", root).length === 1);
    expect(a.agent.tasks.isAlive(keyOf(task))).toBe(true);
  });

  test("a channel to what is not here says so", async () => {
    await world.start("a");
    const logs = { jobId: "job-9", attempt: 1, rank: 0, follow: false, tailLines: 0 };
    const channel = await world.scheduler.channel("a", { logs });
    const frame = await waitFor("an answer", () => channel.frames[0]);
    expect(frame.error).toContain("job-9");
  });
});
