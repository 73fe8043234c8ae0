// Small worlds for the tests of this folder: a desired task with sensible fields.

import { jobId, nodeId, queuePath } from "../../base/ids.ts";
import type { DesiredTask } from "../../scheduler/core/desired.ts";
import { type JobSpec, SPEC_DEFAULTS } from "../../scheduler/core/job.ts";
import type { LocalPhase, LocalTask } from "./local.ts";

export const SPEC: JobSpec = {
  name: "train",
  queue: queuePath("default"),
  priorityClass: "normal",
  nodes: 1,
  nodesMin: 1,
  perNode: { gpus: 2, cpuMilli: 0, memoryMib: 0 },
  command: { kind: "torchrun", script: "train.py", args: [], procsPerNode: 2, python: "" },
  env: {},
  bundle: null,
  setup: "",
  timeLimitMs: null,
  graceMs: 120_000,
  stopSignal: "SIGTERM",
  restartsMax: 0,
  checkpoint: { keep: 3, patterns: [] },
  ...SPEC_DEFAULTS,
};

export function desiredTask(change: Partial<DesiredTask> = {}): DesiredTask {
  return {
    jobId: jobId("job-1"),
    attempt: 1,
    rank: 0,
    stop: null,
    spec: SPEC,
    gpus: [0, 1],
    nodeNames: [nodeId("a")],
    rendezvous: null,
    resume: null,
    committedCheckpoints: [],
    gatheringSteps: [],
    dedupeAgainst: null,
    runId: "job-1",
    ...change,
  };
}

export function localTask(phase: LocalPhase, change: Partial<LocalTask> = {}): LocalTask {
  return {
    jobId: jobId("job-1"),
    attempt: 1,
    rank: 0,
    nodes: 1,
    graceMs: 120_000,
    rendezvous: null,
    parts: [],
    phase,
    ...change,
  };
}
