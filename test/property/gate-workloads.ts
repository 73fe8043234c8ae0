// The workloads of the cases in policy-budgets.ts: generated, or read where the public traces lie.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { must } from "../../src/base/assert.ts";
import { gpusOfNode } from "../../src/trace/core/cluster.ts";
import { generate } from "../../src/trace/core/synthetic.ts";
import { parseTrace } from "../../src/trace/core/trace-csv.ts";
import { WORKLOAD_PRESETS } from "../../src/trace/core/workload-presets.ts";
import { type Workload, workloadOf } from "../../src/trace/core/workload.ts";
import type { GateCase } from "./policy-budgets.ts";

const TRACES =
  process.env["TRAINYARD_TRACES"] ?? resolve(import.meta.dirname, "../../../shared/traces");

/** Null, and a line that says why, when the trace is not here. */
export function workloadFor({ name, source, jobs, cluster }: GateCase): Workload | null {
  if (source.kind === "generated") {
    const { spec } = must(WORKLOAD_PRESETS[source.preset], source.preset);
    const arrivals = { ...spec.arrivals, perHour: source.perHour };
    return generate({ ...spec, jobs, arrivals }, source.seed, gpusOfNode(cluster));
  }
  const path = resolve(TRACES, source.file);
  if (!existsSync(path)) {
    console.log(`skipped: ${name}: there is no ${path}`);
    return null;
  }
  const parsed = parseTrace(readFileSync(path, "utf8"), {
    file: source.file,
    nodeGpus: gpusOfNode(cluster),
    tenantColumn: source.tenantColumn,
    userColumn: null,
    timeLimitColumn: null,
  });
  if (parsed.kind === "refusal") throw new Error(parsed.message);
  return workloadOf(parsed.workload.jobs.slice(0, jobs));
}
