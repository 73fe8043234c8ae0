import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { must } from "../base/assert.ts";
import { nodeId, queuePath } from "../base/ids.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../base/time.ts";
import { MetricsRegistry } from "../obs/metrics.ts";
import { countHolds } from "./core/admission.ts";
import { nodeSpec, queueSpec, STOPPED, World } from "./core/fixture.ts";
import type { Plan } from "./core/plan-types.ts";
import { loopMetrics, stateMetrics } from "./metrics.ts";
import { agentTargets } from "./metrics-cluster.ts";
import { eventMetrics, runningJobMetrics } from "./metrics-jobs.ts";

const STATS = {
  queueDepth: 3,
  queueDepthMax: 10_000,
  seq: 42,
  logFirstSeq: 1,
  snapshotSeq: 40,
  lastPlanAtMs: 1_500,
  clockSkewMs: -250,
};

/** Prod is guaranteed 8 of 16 GPUs; research has taken all, and a job of prod comes. */
function contendedWorld() {
  const world = new World([
    queueSpec("prod", { guarantee: 8 }),
    queueSpec("research", { limit: 16 }),
  ]).nodes(2, 8);
  const research = { queue: queuePath("research"), gpus: 8 } as const;
  const victims = [world.submit(research), world.submit(research)];
  world.plan();
  world.run();
  return { world, victims };
}

function observed(world: World) {
  const hands = { nowMs: 0 };
  const metrics = new MetricsRegistry(() => (hands.nowMs += 10_000));
  let plan: Plan | null = null;
  stateMetrics(metrics, {
    state: () => world.state,
    holdCounts: () => countHolds(world.state, plan?.holds ?? null),
    stats: () => STATS,
    storeBytes: () => new Map([["scheduler", 65_536]]),
    agents: {
      heartbeatAgesMs: () => new Map([[nodeId("node-1"), 1_250]]),
      clockOf: (node) => (node === "node-1" ? { aheadMs: -1_500, errorMs: 2 } : null),
    },
  });
  const observeEvents = eventMetrics(metrics, () => world.state);
  let seen = 0;
  return {
    metrics,
    planned: () => (plan = world.plan()),
    /** Passes on what happened since the last call, as the loop does after a commit. */
    committed: () => {
      const events = world.log.slice(seen);
      seen = world.log.length;
      for (const event of events) observeEvents([event]);
    },
    lines: async () => (await metrics.render("prometheus")).split("\n"),
  };
}

test("GPUs and nodes are counted by state, with every state there", async () => {
  const { world } = contendedWorld();
  world.nodes(3, 8);
  world.must({ kind: "node.cordon", nodeId: nodeId("node-3"), note: "" });
  const lines = await observed(world).lines();
  expect(lines).toEqual(
    expect.arrayContaining([
      'trainyard_gpus{state="allocated",gpu_type="virtual"} 16',
      'trainyard_gpus{state="idle",gpu_type="virtual"} 0',
      'trainyard_gpus{state="down",gpu_type="virtual"} 0',
      'trainyard_gpus{state="drained",gpu_type="virtual"} 8',
      'trainyard_nodes{state="open"} 2',
      'trainyard_nodes{state="cordoned"} 1',
      'trainyard_nodes{state="lost"} 0',
      "trainyard_node_free_gpus_max 0",
      'trainyard_agent_heartbeat_age_seconds{node="node-1"} 1.25',
      'trainyard_agent_clock_ahead_seconds{node="node-1"} -1.5',
    ]),
  );
});

test("agents are scraped at their node's address, also an IPv6 one, while they are up", () => {
  const world = new World().nodes(2, 1);
  world.register({ ...nodeSpec("node-3", 1), address: "fd00::3" });
  const lost = must(world.state.nodes.get(nodeId("node-2")), "node-2");
  world.must({ kind: "node.expire", nodeId: nodeId("node-2"), instance: lost.instance });
  expect(agentTargets(world.state, 7072)).toEqual([
    { targets: ["127.0.0.1:7072"], labels: { node: "node-1" } },
    { targets: ["[fd00::3]:7072"], labels: { node: "node-3" } },
  ]);
});

test("a queue shows what it has, what it may have, and why its jobs wait", async () => {
  const { world } = contendedWorld();
  const watch = observed(world);
  world.submit({ queue: queuePath("prod"), gpus: 8 });
  expect(await watch.lines()).toContain(
    'trainyard_queue_pending_jobs{queue="prod",reason="EVALUATING"} 1',
  );
  watch.planned();
  const lines = await watch.lines();
  expect(lines).toEqual(
    expect.arrayContaining([
      'trainyard_queue_gpus{queue="prod",kind="guaranteed"} 8',
      'trainyard_queue_gpus{queue="prod",kind="used"} 0',
      'trainyard_queue_gpus{queue="research",kind="used"} 16',
      'trainyard_queue_gpus{queue="research",kind="borrowed"} 16',
      'trainyard_queue_gpus{queue="research",kind="limit"} 16',
      'trainyard_queue_pending_jobs{queue="prod",reason="WAITING_FOR_PREEMPTED"} 1',
      'trainyard_queue_pending_gpus{queue="prod"} 8',
      'trainyard_queue_running_jobs{queue="research"} 2',
      'trainyard_queue_fair_share_ratio{queue="prod"} 0.5',
      'trainyard_queue_fair_share_ratio{queue="research"} 0.5',
      'trainyard_queue_usage_share_ratio{queue="research"} 1',
      'trainyard_queue_dominant_share_ratio{queue="research"} 1',
      'trainyard_queue_fairness_error_ratio{queue="research"} 0.5',
      'trainyard_queue_fairness_error_ratio{queue="prod"} -0.5',
    ]),
  );
  expect(lines.join("\n")).not.toContain("EVALUATING");
  expect(lines.join("\n")).not.toContain('queue="prod",kind="limit"');
});

test("a preemption is told from the request to leave until the job runs again", async () => {
  const { world, victims } = contendedWorld();
  const watch = observed(world);
  watch.committed();
  world.nowMs += HOUR_MS;
  const preemptor = world.submit({ queue: queuePath("prod"), gpus: 8 });
  watch.planned();
  watch.committed();
  const victim = victims.find((id) => world.phase(id) === "stopping") ?? preemptor;
  expect(victim).not.toBe(preemptor);
  world.nowMs += 30 * SECOND_MS;
  const steps = [
    () => world.end(victim, STOPPED),
    () => world.plan(),
    () => world.run(),
    () => (world.nowMs += MINUTE_MS),
    () => world.end(preemptor),
    () => world.plan(),
    () => world.run(),
  ];
  for (const step of steps) {
    step();
    watch.committed();
  }
  expect(world.phase(victim)).toBe("running");
  const lines = await watch.lines();
  expect(lines).toEqual(
    expect.arrayContaining([
      "trainyard_job_resume_seconds_sum 90",
      "trainyard_job_resume_seconds_count 1",
      "trainyard_preemption_lost_gpu_seconds_count 1",
      'trainyard_job_wait_seconds_sum{queue="prod"} 30',
      'trainyard_job_wait_seconds_count{queue="research"} 3',
      'trainyard_jobs_preempted_total{queue="research",reason="reclaim"} 1',
      'trainyard_jobs_preempted_total{queue="research",reason="drain"} 0',
      'trainyard_jobs_finished_total{queue="prod",state="succeeded"} 1',
      'trainyard_jobs_submitted_total{queue="research"} 2',
      'trainyard_jobs_submitted_total{queue="prod"} 1',
      'trainyard_jobs_placed_total{queue="research"} 3',
      "trainyard_preemption_thrash_total 0",
    ]),
  );
});

test("the loop's passes and the log are measured in seconds and bytes", async () => {
  const { world } = contendedWorld();
  const watch = observed(world);
  const observer = loopMetrics(watch.metrics);
  observer.batchDone({ commands: 4, refusals: 1, events: 5, decideMs: 1, commitMs: 4 });
  observer.batchDone({ commands: 1, refusals: 1, events: 0, decideMs: 1, commitMs: 0 });
  const report = { atMs: 1, planMs: 20, commitMs: 1, holds: 9, reservations: 0 };
  observer.planDone({ ...report, starts: 2, evictions: 1 });
  expect(await watch.lines()).toEqual(
    expect.arrayContaining([
      "trainyard_scheduler_cycle_seconds_sum 0.02",
      "trainyard_log_commit_seconds_count 1",
      'trainyard_commands_total{outcome="accepted"} 3',
      'trainyard_commands_total{outcome="refused"} 2',
      'trainyard_scheduler_decisions_total{kind="start"} 2',
      "trainyard_loop_queue_commands 3",
      "trainyard_log_events_total 42",
      "trainyard_scheduler_cycle_last_success_timestamp_seconds 1.5",
      "trainyard_clock_skew_seconds -0.25",
      'trainyard_lmdb_bytes{db="scheduler"} 65536',
    ]),
  );
});

test("series per job are there only while it holds GPUs, and name no user", async () => {
  const { world, victims } = contendedWorld();
  const metrics = new MetricsRegistry(
    (
      (nowMs) => () =>
        (nowMs += 10_000)
    )(0),
  );
  runningJobMetrics(metrics, () => world.state);
  const text = await metrics.render("prometheus");
  expect(text).toContain('job_id="job-1",job_name="train",queue="research",attempt="1"} 1');
  expect(text).toMatch(/job_gpu_info\{job_id="job-2",node="node-\d",gpu="7",UUID="node-\d-7"\} 1/);
  expect(text).not.toContain("alice");
  for (const id of victims) world.end(id);
  expect(await metrics.render("prometheus")).not.toContain("job_id=");
});

test.skipIf(!existsSync("/usr/bin/promtool"))("promtool finds nothing to say", async () => {
  const { world } = contendedWorld();
  const watch = observed(world);
  loopMetrics(watch.metrics);
  watch.committed();
  const jobs = new MetricsRegistry(() => 0);
  runningJobMetrics(jobs, () => world.state);
  for (const registry of [watch.metrics, jobs]) {
    const input = await registry.render("prometheus");
    expect(input.length).toBeGreaterThan(500);
    expect(execFileSync("promtool", ["check", "metrics"], { input }).toString()).toBe("");
  }
});
