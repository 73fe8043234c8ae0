import { expect, test } from "vitest";
import { RefusalError } from "../base/errors.ts";
import { jobId } from "../base/ids.ts";
import type { JobSpec } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import type { JobSpec__Output } from "../rpc/gen/trainyard/v1/JobSpec.ts";
import { decodeService } from "../rpc/loader.ts";
import { SPEC_DEFAULTS } from "./core/job.ts";
import { decodeJobSpec } from "./service-spec.ts";
import { specView } from "./views-spec.ts";

const submit = decodeService("JobService").SubmitJob;

/** As it looks after the wire. */
function sent(spec: JobSpec): JobSpec__Output | null {
  return submit.requestDeserialize(submit.requestSerialize({ spec })).spec;
}

const MINIMAL: JobSpec = { name: "train", torchrun: { script: "train.py" } };

const decode = (message: JobSpec__Output | null) =>
  decodeJobSpec(message, { nowMs: 1_000, find: (reference) => ({ id: jobId(reference) }) });

test("what is left out gets its default", () => {
  expect(decode(sent(MINIMAL))).toEqual({
    name: "train",
    queue: "default",
    priorityClass: "normal",
    nodes: 1,
    nodesMin: 1,
    perNode: { gpus: 0, cpuMilli: 0, memoryMib: 0 },
    ...SPEC_DEFAULTS,
    command: { kind: "torchrun", script: "train.py", args: [], procsPerNode: 1, python: "" },
    env: {},
    bundle: null,
    setup: "",
    timeLimitMs: null,
    graceMs: 120_000,
    stopSignal: "SIGTERM",
    restartsMax: 0,
    checkpoint: { keep: 3, patterns: [] },
    array: null,
    after: [],
    beginAtMs: null,
    deadlineMs: null,
    isHeld: false,
  });
});

test("a spec comes through encode, wire and decode as it was", () => {
  const spec = decode(
    sent({
      name: "big.job_1",
      queue: "research/nlp",
      priorityClass: "high",
      nodes: 4,
      nodesMin: 2,
      perNode: { gpus: 8, cpuMilli: 64_000, memoryMib: 1_024 },
      gpuTypes: ["H100", "A100"],
      mixesGpuTypes: true,
      topology: { level: "rack", mode: "preferred" },
      spot: "avoid",
      exec: { argv: ["python", "-c", "print('ä')"] },
      env: { B: "2", A: "" },
      bundle: { digest: "a".repeat(64), sizeBytes: 7, commit: "c0ffee", isDirty: true },
      setup: "pip install .",
      timeLimit: { seconds: 90, nanos: 500_000_000 },
      grace: { seconds: 0 },
      stopSignal: "none",
      restartsMax: 3,
      checkpoint: { keep: 5, patterns: ["ckpt-*"] },
      array: { indexes: "0-9", parallel: 2 },
      after: [{ job: "job-1" }, { job: "job-2", on: "any" }],
      beginAfter: { seconds: 60 },
      deadlineAt: { seconds: 7 },
      held: true,
    }),
  );
  expect(decode(sent(specView(spec)))).toEqual(spec);
  const { timeLimitMs, graceMs, beginAtMs, deadlineMs } = spec;
  expect([timeLimitMs, graceMs, beginAtMs, deadlineMs]).toEqual([90_500, 0, 61_000, 7_000]);
});

test("procs_per_node follows the GPUs when it is left out", () => {
  const spec = decode(sent({ ...MINIMAL, perNode: { gpus: 8 } }));
  expect(spec.command).toMatchObject({ procsPerNode: 8 });
});

const BAD: readonly (readonly [string, JobSpec])[] = [
  ["spec.name", { ...MINIMAL, name: "" }],
  ["spec.array.indexes", { ...MINIMAL, array: { indexes: "3-1" } }],
  ["spec.array.parallel", { ...MINIMAL, array: { indexes: "1", parallel: -1 } }],
  ["spec.after[0].on", { ...MINIMAL, after: [{ job: "job-1", on: "maybe" }] }],
  ["spec.after", { ...MINIMAL, after: Array.from({ length: 65 }, () => ({ job: "job-1" })) }],
  ["spec.name", { ...MINIMAL, name: "job-42" }],
  ["spec.name", { ...MINIMAL, name: "a b" }],
  ["spec.name", { ...MINIMAL, name: "x".repeat(64) }],
  ["spec.queue", { ...MINIMAL, queue: "/research" }],
  ["spec.nodes", { ...MINIMAL, nodes: -1 }],
  ["spec.nodes", { ...MINIMAL, nodes: 4_097 }],
  ["spec.nodesMin", { ...MINIMAL, nodes: 2, nodesMin: 3 }],
  ["spec.nodesMin", { ...MINIMAL, nodes: 2, nodesMin: -1 }],
  ["spec.perNode.gpus", { ...MINIMAL, perNode: { gpus: -1 } }],
  ["spec.perNode.cpuMilli", { ...MINIMAL, perNode: { cpuMilli: -5 } }],
  ["spec.perNode.memoryMib", { ...MINIMAL, perNode: { memoryMib: Number.MAX_SAFE_INTEGER } }],
  ["spec.command", { name: "train" }],
  ["spec.torchrun.script", { ...MINIMAL, torchrun: { script: "" } }],
  ["spec.torchrun.procsPerNode", { ...MINIMAL, torchrun: { script: "a", procsPerNode: 65 } }],
  ["spec.torchrun.args[1]", { ...MINIMAL, torchrun: { script: "a", args: ["b", "c\0"] } }],
  ["spec.exec.argv", { name: "train", exec: { argv: [] } }],
  ["spec.env", { ...MINIMAL, env: { "A-B": "1" } }],
  ["spec.env.A", { ...MINIMAL, env: { A: "x".repeat(131_072) } }],
  ["spec.bundle.digest", { ...MINIMAL, bundle: { digest: "abc", sizeBytes: 1 } }],
  ["spec.bundle.sizeBytes", { ...MINIMAL, bundle: { digest: "a".repeat(64), sizeBytes: -1 } }],
  ["spec.timeLimit", { ...MINIMAL, timeLimit: { seconds: 0 } }],
  ["spec.timeLimit", { ...MINIMAL, timeLimit: { seconds: -5 } }],
  ["spec.grace", { ...MINIMAL, grace: { seconds: 90_000 } }],
  ["spec.stopSignal", { ...MINIMAL, stopSignal: "SIGKILL" }],
  ["spec.restartsMax", { ...MINIMAL, restartsMax: -1 }],
  ["spec.checkpoint.keep", { ...MINIMAL, checkpoint: { keep: -3 } }],
  ["spec.checkpoint.patterns[0]", { ...MINIMAL, checkpoint: { patterns: [""] } }],
  [
    "spec.torchrun.args",
    { ...MINIMAL, torchrun: { script: "a", args: Array(20).fill("x".repeat(100_000)) } },
  ],
];

test.each(BAD)("a bad %s is refused with field and remedy", (field, spec) => {
  let thrown: unknown = null;
  try {
    decode(sent(spec));
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof RefusalError)) throw new Error(`not refused: ${String(thrown)}`);
  expect(thrown.refusal.field).toBe(field);
  expect(thrown.refusal.remedy).not.toBe("");
});
