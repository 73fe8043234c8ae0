// The scheduling core as it was built. tsx, which runs the benches, adds a call to every function that
// is made, a quarter of a planning pass; users run what tsc made, so that is what is timed.

import { resolve } from "node:path";
import type * as applying from "../../src/scheduler/core/apply.ts";
import type * as cycle from "../../src/scheduler/core/cycle.ts";
import type * as desired from "../../src/scheduler/core/desired.ts";

export type Core = Pick<typeof applying, "createState"> &
  Pick<typeof cycle, "step" | "planStep"> &
  Pick<typeof desired, "desiredFor">;

const FOLDER = resolve(import.meta.dirname, "../../dist/scheduler/core");

export async function loadCore(): Promise<Core> {
  const { createState } = await load<typeof applying>("apply.js");
  const { step, planStep } = await load<typeof cycle>("cycle.js");
  const { desiredFor } = await load<typeof desired>("desired.js");
  return { createState, step, planStep, desiredFor };
}

async function load<T>(file: string): Promise<T> {
  return (await import(resolve(FOLDER, file))) as T;
}
