// Whatever the moment at which the scheduler's process dies: what it acknowledged is there after the
// restart (a phantom is tolerable, a hole never), and the state is the fold of the log.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobId } from "../../src/base/ids.ts";
import { createPrng } from "../../src/base/prng.ts";
import { apply, createState } from "../../src/scheduler/core/apply.ts";
import type { JobPhase } from "../../src/scheduler/core/job.ts";
import { openSchedulerStore } from "../../src/scheduler/loop-store.ts";
import { restore } from "../../src/scheduler/loop-restore.ts";
import { CRASH_POINTS, type CrashPoint } from "../../src/store/crash-points.ts";
import { digestOf } from "./loop-fixtures.ts";
import { withFolder } from "./store-fixtures.ts";

const CHILD = join(import.meta.dirname, "loop-child.ts");
const DEATH_MS_MAX = 20_000;

interface Death {
  readonly acknowledged: readonly string[];
  readonly signal: NodeJS.Signals | null;
  readonly errors: string;
}

/** Runs the child until it dies; `onLine` may kill it. */
function runToDeath(
  argv: readonly string[],
  onLine: (child: ChildProcess, lines: number) => void = () => undefined,
): Promise<Death> {
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString();
    onLine(child, out.split("\n").length - 1);
  });
  const limit = setTimeout(() => child.kill("SIGTERM"), DEATH_MS_MAX);
  return new Promise((resolve) => {
    child.on("close", (_, signal) => {
      clearTimeout(limit);
      resolve({ acknowledged: out.split("\n").slice(0, -1), signal, errors });
    });
  });
}

/** Holes: what was acknowledged and is not in the state after the restart. */
async function inspect(folder: string, acknowledged: readonly string[]) {
  const warnings: string[] = [];
  const store = await openSchedulerStore({ folder, onWarning: (text) => warnings.push(text) });
  try {
    const { state, snapshotSeq } = await restore(store);
    const holes = acknowledged.filter((line) => {
      const [what, id = ""] = line.split(" ");
      const phase = state.jobs.get(jobId(id))?.phase;
      return phase === undefined || (what === "cancelled" && !isCancelled(phase));
    });
    return { holes, warnings, snapshotSeq, isFold: isFoldOfLog(store, digestOf(state)) };
  } finally {
    await store.close();
  }
}

/** Or on its way: no agent is there to end what was placed. */
function isCancelled(phase: JobPhase): boolean {
  return (
    phase.kind === "cancelled" || (phase.kind === "stopping" && phase.cause.kind === "cancelled")
  );
}

/** True also when the log was trimmed: then there is nothing to compare with. */
function isFoldOfLog(
  store: Awaited<ReturnType<typeof openSchedulerStore>>,
  digest: string,
): boolean {
  if (store.log.firstSeq > 1) return true;
  const state = createState();
  for (const event of store.log.read(1)) apply(state, event);
  return digestOf(state) === digest;
}

const cases = CRASH_POINTS.flatMap((point: CrashPoint) =>
  [1, 3].map((passes) => [point, passes] as const),
);

test.concurrent.each(cases)(
  "nothing is lost when it dies at %s, pass %i",
  async (point, passes) => {
    await withFolder(async (folder) => {
      const kept = point.startsWith("trim") ? "50" : "1000000";
      const death = await runToDeath([folder, point, String(passes), kept]);
      expect(death).toMatchObject({ signal: "SIGKILL", errors: "" });
      const found = await inspect(folder, death.acknowledged);
      expect(found).toMatchObject({ holes: [], warnings: [], isFold: true });
      // The next life goes on where this one ended, through the same point.
      const next = await runToDeath([folder, point, String(passes + 1), kept]);
      expect(next).toMatchObject({ signal: "SIGKILL", errors: "" });
      const all = [...death.acknowledged, ...next.acknowledged];
      expect(await inspect(folder, all)).toMatchObject({ holes: [], warnings: [], isFold: true });
    });
  },
);

test("nothing is lost over many lives that end by kill -9 at any moment", async () => {
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const prng = createPrng(seed);
  await withFolder(async (folder) => {
    const all: string[] = [];
    for (let life = 0; life < 6; life += 1) {
      const linesMax = 50 + prng.below(600);
      const death = await runToDeath([folder, "none", "1", "1000000"], (child, lines) => {
        if (lines >= linesMax) child.kill("SIGKILL");
      });
      expect(death).toMatchObject({ signal: "SIGKILL", errors: "" });
      all.push(...death.acknowledged);
      const found = await inspect(folder, all);
      expect(found).toMatchObject({ holes: [], warnings: [], isFold: true });
      expect(found.snapshotSeq).toBeGreaterThan(0);
    }
    expect(all.length).toBeGreaterThan(500);
  });
});
