// The scheduling core as users run it. tsx, which runs the benches, adds a call to every function that
// is made, a quarter of a planning pass; so the core is built without that, and that is what is timed.

import { resolve } from "node:path";
import { build } from "esbuild";
import type * as applying from "../../src/scheduler/core/apply.ts";
import type * as cycle from "../../src/scheduler/core/cycle.ts";
import type * as desired from "../../src/scheduler/core/desired.ts";
import type * as explaining from "../../src/scheduler/core/explain.ts";
import type * as previewing from "../../src/scheduler/core/explain-submission.ts";
import type * as forecasting from "../../src/scheduler/core/start-forecast.ts";
import type * as viewing from "../../src/scheduler/views-queue.ts";

export type Core = Pick<typeof applying, "createState"> &
  Pick<typeof cycle, "step" | "planStep"> &
  Pick<typeof desired, "desiredFor"> &
  Pick<typeof explaining, "explain"> &
  Pick<typeof previewing, "explainSubmission"> &
  Pick<typeof viewing, "queueViews"> &
  Pick<typeof forecasting, "forecast">;

const FOLDER = resolve(import.meta.dirname, "../../src/scheduler/core");

/** `dir` takes the built file. */
export async function loadCore(dir: string): Promise<Core> {
  const outfile = resolve(dir, "core.mjs");
  const contents = `
    export { createState } from "./apply.ts";
    export { explain } from "./explain.ts";
    export { explainSubmission } from "./explain-submission.ts";
    export { queueViews } from "../views-queue.ts";
    export { forecast } from "./start-forecast.ts";
    export { planStep, step } from "./cycle.ts";
    export { desiredFor } from "./desired.ts";`;
  await build({
    stdin: { contents, resolveDir: FOLDER },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
  });
  return (await import(outfile)) as Core;
}
