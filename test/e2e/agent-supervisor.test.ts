// The supervisor on real processes: it outlives who started it, stops by the protocol, and leaves
// no child behind.

import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCgroupParent } from "../../src/agent/cgroup.ts";
import { bootMs, identify, isSameProcess, signal } from "../../src/agent/proc.ts";
import { SupervisorHandle } from "../../src/agent/supervisor-handle.ts";
import { readText, TaskWorld, waitFor } from "./agent-fixture.ts";

/** Leaves a process in a session of its own behind. */
const DAEMON = `setsid sh -c 'touch up; exec sleep 605' &
  while [ ! -f up ]; do sleep 0.01; done`;
const sh = (script: string): readonly string[] => ["/bin/sh", "-c", script];

let world: TaskWorld;
beforeEach(() => {
  world = new TaskWorld();
});
afterEach(() => world.end());

describe("launching", () => {
  test("output goes to files, and the end is written with its code", async () => {
    await world.start(sh("echo out; echo err >&2; exit 7"));
    expect(await world.exited()).toEqual({ reason: "exited", code: 7, message: "" });
    expect(world.output()).toBe("out\n");
    expect(readText(world.folder.file("stderr"))).toBe("err\n");
  });

  test("a signal that nobody here sent is told as such", async () => {
    await world.start(sh("kill -SEGV $$"));
    expect(await world.exited()).toMatchObject({ reason: "signalled", code: 139 });
  });

  test("a program that does not exist is named", async () => {
    const answer = await world.launch(["/no/such/python", "train.py"]);
    expect(answer).toMatchObject({
      kind: "failed",
      exit: { reason: "prepare_failed", message: expect.stringContaining("/no/such/python") },
    });
  });

  test("a folder deeper than a socket's name may be long is no problem", async () => {
    const { handle } = await world.start(sh("exec sleep 600"));
    expect(world.folder.root.length + "/supervisor.sock".length).toBeGreaterThan(40);
    await handle.kill("killed");
    expect(await world.exited()).toMatchObject({ reason: "killed" });
  });

  test("a supervisor that waits for an order ends with the one who started it", async () => {
    world.pool.warm();
    const starter = await startHost(world, "pool.warm(); console.log('warm');");
    const warm = await waitFor("the host's supervisor", () => childOf(starter));
    expect(identify(warm)).not.toBeNull();
    starter.kill("SIGKILL");
    await waitFor("its end", () => identify(warm) === null);
  });
});

describe("killing", () => {
  test("reaches children that left the session, helpers and daemons", async () => {
    const script =
      "setsid sleep 601 & (setsid sh -c 'setsid sleep 602 & sleep 603' &) ; sleep 604 & echo up; wait";
    const { handle } = await world.start(sh(script));
    await waitFor("all of them", () => world.output() === "up\n" && world.processes().length >= 6);
    await handle.kill("killed");
    expect(await world.exited()).toMatchObject({ reason: "killed", code: 137 });
    expect(world.processes()).toEqual([]);
  });

  test("what the command leaves behind ends with it", async () => {
    await world.start(sh(DAEMON));
    expect(await world.exited()).toMatchObject({ reason: "exited", code: 0 });
    expect(world.processes()).toEqual([]);
  });

  test("reaches also what cleared its environment, where there are cgroups", async (context) => {
    const parent = openCgroupParent(`trainyard-test-${process.pid}`);
    if (parent === null) return context.skip("no cgroup v2 that this user may write");
    const inGroup = new TaskWorld(parent);
    try {
      const { handle, state } = await inGroup.start(
        sh("env -i setsid /bin/sh -c 'echo $$ > stray; exec /bin/sleep 606' & wait"),
      );
      const stray = Number(
        await waitFor("the stray", () => readText(join(inGroup.folder.work, "stray")).trim()),
      );
      await waitFor(
        "the supervisor outside",
        () => !groupOf(state.supervisor.pid).includes("task-"),
      );
      await handle.kill("killed");
      await inGroup.exited();
      expect(identify(stray)).toBeNull();
      expect(identify(inGroup.folder.supervisorState()?.process.pid ?? 0)).toBeNull();
    } finally {
      inGroup.end();
    }
  });

  test("a task that takes more memory than it asked for is ended, and told so", async (context) => {
    const parent = openCgroupParent(`trainyard-test-${process.pid}`);
    const why = parent === null ? "no cgroup v2 that this user may write" : whyNoLimit(parent);
    if (parent === null || why !== null) {
      console.warn(`memory limits are not tested: ${why}`);
      return context.skip(why ?? "");
    }
    const inGroup = new TaskWorld(parent);
    try {
      // tail keeps what it reads until the end of the line.
      const hog = sh("head -c 300000000 /dev/zero | tail >/dev/null");
      await inGroup.start(["/bin/bash", "-o", "pipefail", ...hog.slice(1)], { memoryMib: 64 });
      const { message } = await inGroup.exited();
      expect(message).toContain("it took more than the 64 MiB of memory that it asked for");
    } finally {
      inGroup.end();
    }
  });

  test("a supervisor that was itself killed does not leave its task running", async () => {
    const { handle, state } = await world.start(sh("setsid sleep 607 & sleep 608"));
    const exit = new Promise((resolve) => handle.watch(resolve));
    signal(state.supervisor.pid, "SIGKILL");
    expect(await exit).toMatchObject({ reason: "supervisor_lost" });
    expect(world.processes()).toEqual([]);
  });
});

describe("stopping", () => {
  const deadline = (ms: number) => ({
    kind: "stop" as const,
    reason: "preempted",
    deadlineBootMs: bootMs() + ms,
    signal: "SIGTERM" as const,
  });

  test("a script that saves in time ends by itself, with a stop file to read", async () => {
    const script = `trap 'cat $TRAINYARD_STOP_FILE; echo saved; exit 0' TERM; echo up
      while :; do sleep 0.05; done`;
    const { handle } = await world.start(["/usr/bin/env", "bash", "-c", script]);
    await waitFor("the script", () => world.output() === "up\n");
    expect(await handle.send(deadline(60_000))).toBe(true);
    expect(await world.exited()).toEqual({ reason: "exited", code: 0, message: "" });
    const [, stop, saved] = world.output().split("\n");
    expect(saved).toBe("saved");
    expect(JSON.parse(stop ?? "")).toEqual({
      reason: "preempted",
      deadline_unix_ms: expect.any(Number),
    });
  });

  test("a shell without a trap does not take the grace from what it runs", async () => {
    const child = `python3 -c 'import signal,time,sys
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), print("saved"), sys.exit(0)))
print("up", flush=True); time.sleep(600)'; exit $?`;
    const { handle } = await world.start(sh(child));
    await waitFor("the script", () => world.output() === "up\n");
    await handle.send(deadline(60_000));
    expect(await world.exited()).toMatchObject({ reason: "exited", code: 0 });
    expect(world.output()).toBe("up\nsaved\n");
  });

  test("with signal `none` only the stop file asks", async () => {
    const script = `while [ ! -f "$TRAINYARD_STOP_FILE" ]; do sleep 0.02; done; exit 3`;
    const { handle } = await world.start(sh(script));
    await handle.send({ ...deadline(60_000), signal: "none" });
    expect(await world.exited()).toEqual({ reason: "exited", code: 3, message: "" });
  });

  test("one that ignores everything is killed after the deadline, also without an agent", async () => {
    const { handle } = await world.start(sh("trap '' TERM; while :; do sleep 1; done"));
    const startedMs = performance.now();
    await handle.send(deadline(300));
    handle.release();
    expect(await world.exited(15_000)).toMatchObject({ reason: "killed" });
    expect(performance.now() - startedMs).toBeGreaterThan(300);
    expect(world.processes()).toEqual([]);
  });

  test("a second order brings the deadline nearer, never further away", async () => {
    const { handle } = await world.start(sh("trap '' TERM; while :; do sleep 1; done"));
    await handle.send(deadline(200));
    await handle.send(deadline(600_000));
    expect(await world.exited(15_000)).toMatchObject({ reason: "killed" });
  });
});

describe("without an agent", () => {
  test("kill -9 of who started it stops nothing, and its end is not missed", async () => {
    const host = await startHost(
      world,
      `const answer = await pool.launch(order(["/bin/sh", "-c", "echo a; while [ ! -f go ]; do sleep 0.02; done; echo b; exit 5"]));
       console.log(JSON.stringify(answer));`,
    );
    await waitFor("the first line", () => world.output() === "a\n");
    host.kill("SIGKILL");
    await waitFor("the host's end", () => host.signalCode);
    const state = await waitFor("the state file", () => world.folder.supervisorState());
    expect(isSameProcess(state.process)).toBe(true);
    const exit = new Promise((resolve) => {
      new SupervisorHandle(world.folder, state).watch(resolve);
    });
    writeFileSync(join(world.folder.work, "go"), "");
    expect(await exit).toEqual({ reason: "exited", code: 5, message: "" });
    expect(world.output()).toBe("a\nb\n");
  });

  test("a lease that nobody renews ends the task; one that is renewed does not", async () => {
    world.lease(600);
    const { state } = await world.start(sh("setsid sleep 609 & sleep 610"));
    world.lease(2_000);
    await waitFor("the first lease's end", () => {
      return bootMs() > state.startedAtUnixMs - Date.now() + bootMs() + 1_000;
    });
    expect(isSameProcess(state.process)).toBe(true);
    expect(await world.exited(10_000)).toMatchObject({ reason: "lease_expired" });
    expect(world.processes()).toEqual([]);
  });
});

/** Another Node process that starts supervisors, so that it can be killed. */
async function startHost(of: TaskWorld, body: string): Promise<ChildProcess> {
  const source = `
    import { SupervisorPool, supervisorCommand } from ${JSON.stringify(sourceUrl("supervisor-pool"))};
    const pool = new SupervisorPool({ stateDir: ${JSON.stringify(of.stateDir)}, cgroupParent: null, command: supervisorCommand() });
    const order = (argv) => ({ root: ${JSON.stringify(of.folder.root)}, argv, cwd: ${JSON.stringify(of.folder.work)},
      env: { PATH: process.env.PATH, TRAINYARD_TASK: ${JSON.stringify(of.folder.root)} },
      leaseFile: ${JSON.stringify(of.leaseFile)}, cgroup: null, memoryMib: 0, isTorchrun: false });
    ${body}
    setInterval(() => {}, 1000);`;
  const file = join(of.stateDir, "host.mts");
  writeFileSync(file, source);
  const host = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => host.stdout?.once("data", resolve));
  return host;
}

function sourceUrl(name: string): string {
  return new URL(`../../src/agent/${name}.ts`, import.meta.url).href;
}

function childOf(host: ChildProcess): number | null {
  const text = readText(`/proc/${host.pid}/task/${host.pid}/children`).trim();
  return text === "" ? null : Number(text.split(" ").at(-1));
}

/** Null when cgroups below this one can limit memory. */
function whyNoLimit(parent: string): string | null {
  const controllers = readText(join(parent, "cgroup.subtree_control"));
  return controllers.includes("memory") ? null : "cgroup v2 has no memory controller here";
}

function groupOf(pid: number): string {
  return readText(`/proc/${pid}/cgroup`);
}
