// The main job as the quickstart plays it: real torchrun, a reclaim, a drain, a resume elsewhere.

import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import type { Summary } from "../../scripts/story/summary.ts";
import { pythonWithTorch } from "./agent-fixture.ts";

const ROOT = resolve(import.meta.dirname, "../..");

test("a preempted DDP job resumes on other nodes with the very loss curve of an undisturbed one", async () => {
  const before = await foldersOfStories();
  const summary = await play();
  const [ddp, fsdp, reference] = summary.jobs;
  expect(summary.ok).toBe(true);
  expect(summary.jobs.map((job) => job.phase)).toEqual(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
  expect(ddp?.attempts).toBe(2);
  expect(ddp?.nodes[1]).not.toEqual(ddp?.nodes[0]);
  expect(ddp?.resumedFromStep).toBeGreaterThan(0);
  expect(fsdp?.attempts).toBe(1);
  expect(ddp?.finalLoss).toBe(summary.referenceFinalLoss);
  expect(reference?.finalLoss).toBe(summary.referenceFinalLoss);
  expect(summary.preemptToResumeSeconds).toBeGreaterThan(0);
  expect(await foldersOfStories()).toEqual(before);
});

function play(): Promise<Summary> {
  const flags = ["--python", pythonWithTorch(), "--json"];
  const argv = ["--import", "tsx", "scripts/story/main.ts", ...flags];
  return new Promise((done, fail) => {
    execFile(process.execPath, argv, { cwd: ROOT }, (error, stdout, stderr) => {
      const last = stdout.trim().split("\n").at(-1) ?? "";
      if (last === "") return fail(new Error(`no summary: ${error?.message ?? ""}\n${stderr}`));
      if (error !== null) console.error(stderr);
      done(JSON.parse(last) as Summary);
    });
  });
}

async function foldersOfStories(): Promise<readonly string[]> {
  return (await readdir(tmpdir()))
    .filter((name) => name.startsWith("trainyard-quickstart-"))
    .sort();
}
