// What training needs on this machine: GPUs with their driver, a Python with torch, torchrun.

import type { Check } from "./check.ts";
import { notOk, ok } from "./check.ts";
import { commandOutput } from "./command-output.ts";

export function gpuCheck(): Check {
  return async () => {
    const query = "--query-gpu=name,driver_version,ecc.errors.uncorrected.volatile.total";
    const result = await commandOutput("nvidia-smi", [query, "--format=csv,noheader"]);
    if (result.kind === "absent") {
      const remedy = "On a machine without GPUs, try it with --virtual-gpus.";
      return notOk("gpus", "warn", "nvidia-smi is not installed", remedy);
    }
    if (result.kind === "failed") {
      const remedy = "Mend the driver; the agent finds GPUs by nvidia-smi.";
      return notOk("gpus", "fail", `nvidia-smi: ${result.message}`, remedy);
    }
    const rows = result.stdout
      .trim()
      .split("\n")
      .filter((row) => row !== "");
    const [name = "", driver = ""] = rows[0]?.split(", ") ?? [];
    const broken = rows.filter((row) => Number(row.split(", ")[2] ?? 0) > 0).length;
    const found = `${rows.length} × ${name}, driver ${driver}`;
    if (rows.length === 0) return notOk("gpus", "warn", "nvidia-smi lists no GPU");
    if (broken === 0) return ok("gpus", found);
    const remedy = "Look at `nvidia-smi -q -d ECC`, and drain the node.";
    return notOk("gpus", "warn", `${found}; ${broken} with uncorrected memory errors`, remedy);
  };
}

const PROBE = [
  "import json, torch, torch.distributed as d",
  "print(json.dumps([torch.__version__, torch.cuda.is_available(), d.is_available()]))",
].join("\n");

export function torchCheck(python: string): Check {
  return async () => {
    const result = await commandOutput(python, ["-c", PROBE]);
    const remedy = "Name the interpreter that has torch: --python, or `python:` in a job file.";
    if (result.kind === "absent")
      return notOk("torch", "fail", `${python} is not installed`, remedy);
    if (result.kind === "failed") {
      return notOk("torch", "fail", `${python}: ${result.message}`, remedy);
    }
    const answer: unknown = JSON.parse(result.stdout.trim().split("\n").at(-1) ?? "null");
    const [version, hasCuda, isDistributed] = Array.isArray(answer) ? answer : [];
    if (isDistributed !== true) {
      return notOk("torch", "fail", `${python} has torch without torch.distributed`, remedy);
    }
    return ok(
      "torch",
      `${String(version)}${hasCuda === true ? " with CUDA" : ", no CUDA"} (${python})`,
    );
  };
}

/**
 * The agent starts it as a module, so that the Python that has torch is also the one that runs
 * it.
 */
export function torchrunCheck(python: string): Check {
  return async () => {
    const result = await commandOutput(python, ["-m", "torch.distributed.run", "--help"]);
    if (result.kind === "done") return ok("torchrun", `${python} -m torch.distributed.run`);
    const reason = result.kind === "absent" ? "is not installed" : result.message;
    return notOk("torchrun", "fail", `${python} ${reason}`, "Install torch into that Python.");
  };
}
