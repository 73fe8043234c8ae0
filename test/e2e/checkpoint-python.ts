// A Python that has torch: TRAINYARD_TEST_PYTHON, else .venv/bin/python, else python3.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const PYTHON = findPython();

function findPython(): string {
  const given = process.env["TRAINYARD_TEST_PYTHON"];
  if (given !== undefined) return given;
  const own = join(import.meta.dirname, "../../.venv/bin/python");
  return existsSync(own) ? own : "python3";
}

/** Null when the tests can run. Prints the reason otherwise: a skip is never silent. */
export async function whyNoTorch(): Promise<string | null> {
  try {
    const check = "from torch.distributed.checkpoint import save";
    await run(PYTHON, ["-c", check], { timeout: 120_000 });
    return null;
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const last = said.trim().split("\n").at(-1) ?? "";
    console.warn(`torch tests are skipped: ${PYTHON} cannot import torch's checkpoints: ${last}`);
    return last;
  }
}
