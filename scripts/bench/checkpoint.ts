// A checkpoint into the object store (hashed, stored durably, committed) and back (every hash
// verified), against plain `cp` of the same files in the same run. The store is a folder, as `cp`'s is.

import { execFile } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";
import { checkpointId, type Digest, jobId } from "../../src/base/ids.ts";
import { createCommitter } from "../../src/checkpoint/commit.ts";
import type { ListedFile } from "../../src/checkpoint/core/layouts.ts";
import { restoreCheckpoint } from "../../src/checkpoint/restore.ts";
import { stage as stageFiles } from "../../src/checkpoint/staging.ts";
import { uploadPart } from "../../src/checkpoint/upload.ts";
import { openFolderStore } from "../../src/objects/folder.ts";
import type { ObjectStore } from "../../src/objects/port.ts";
import type { Bench } from "./bench.ts";
import { median, report } from "./report.ts";
import type { Stage } from "./stage.ts";

const FILES = 8;
const FILE_BYTES = 32 * 1024 * 1024;
const ROUNDS = 3;
const JOB = jobId("job-1");
const CHECKPOINT = checkpointId("job-1/000000000100-1");
const WHAT = { jobId: JOB, attempt: 1, step: 100 } as const;
const exec = promisify(execFile);

export const checkpointBench: Bench = {
  name: "checkpoint",
  summary: "MB a second into the object store and back, against cp",
  limitMs: 60_000,
  run,
};

async function run(stage: Stage): Promise<void> {
  const dir = await stage.tempDir();
  const source = join(dir, "source");
  await writeFiles(source);
  const rounds: Rates[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const folder = join(dir, `round-${round}`);
    rounds.push(await measure(source, folder));
    await rm(folder, { recursive: true });
  }
  reportRate("upload", rounds);
  reportRate("restore", rounds);
}

/** MB a second. */
interface Rates {
  readonly upload: number;
  readonly restore: number;
  readonly copy: number;
  /** Copied and on the disk, as an uploaded checkpoint is. */
  readonly copyAndSync: number;
  /** What the event loop had to bear meanwhile. */
  readonly uploadLoop: LoopLoad;
  readonly restoreLoop: LoopLoad;
}

interface LoopLoad {
  /** How late timers came, beside what the machine's other work delays. */
  readonly lagP99Ms: number;
  /** Of the time, 0 to 1. */
  readonly busyPart: number;
}

function watchLoop(): () => LoopLoad {
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const before = performance.eventLoopUtilization();
  return () => {
    lag.disable();
    const busyPart = performance.eventLoopUtilization(before).utilization;
    return { lagP99Ms: lag.percentile(99) / 1e6, busyPart };
  };
}

/** All in turn, so that a slow moment of the disk hits none of them alone. */
async function measure(source: string, folder: string): Promise<Rates> {
  const root = join(folder, "store");
  await mkdir(root, { recursive: true });
  const objects = await openFolderStore(root, { create: true, nowMs: Date.now() });
  const copy = await rateOf(() => exec("cp", ["-r", source, join(folder, "copy")]));
  await exec("sync", ["-f", folder]);
  const copyAndSync = await rateOf(async () => {
    await exec("cp", ["-r", source, join(folder, "copy-and-sync")]);
    await exec("sync", ["-f", folder]);
  });
  const committed: Digest[] = [];
  const endUpload = watchLoop();
  const upload = await rateOf(async () => {
    committed.push(await store(objects, source, join(folder, "staging")));
  });
  const uploadLoop = endUpload();
  const [manifestDigest] = committed;
  if (manifestDigest === undefined) throw new Error("no checkpoint was committed");
  const endRestore = watchLoop();
  const restore = await rateOf(() => load(objects, manifestDigest, join(folder, "restored")));
  const restoreLoop = endRestore();
  await objects.close();
  return { copy, copyAndSync, upload, restore, uploadLoop, restoreLoop };
}

/** What an agent and the scheduler do with a complete checkpoint. Returns the manifest's digest. */
async function store(objects: ObjectStore, dir: string, folder: string): Promise<Digest> {
  const files = await Promise.all(names().map((name) => list(dir, name)));
  const staged = await stageFiles({ dir, folder, files, prefersCopy: false });
  if (staged === null) throw new Error("the files changed while they were staged");
  const request = {
    ...WHAT,
    rank: 0,
    layout: "torch",
    staged,
    likelyStored: new Set<Digest>(),
    notesDir: `${folder}-notes`,
  } as const;
  const part = await uploadPart(objects, null, request, new AbortController().signal);
  if (part === null) throw new Error("the files changed while they were uploaded");
  const parts = [{ rank: 0, digest: part.digest, sizeBytes: part.sizeBytes }];
  return await createCommitter({ objects }).commit({ ...WHAT, checkpointId: CHECKPOINT, parts });
}

async function load(objects: ObjectStore, manifestDigest: Digest, destDir: string): Promise<void> {
  const request = { jobId: JOB, checkpointId: CHECKPOINT, manifestDigest, destDir };
  const { bytesFetched } = await restoreCheckpoint({ objects, cache: null }, request);
  if (bytesFetched !== FILES * FILE_BYTES) throw new Error(`${bytesFetched} bytes came back`);
}

async function rateOf(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return (FILES * FILE_BYTES) / 1e6 / ((performance.now() - startedMs) / 1_000);
}

function reportRate(what: "upload" | "restore", rounds: readonly Rates[]): void {
  const ratios = (peer: "copy" | "copyAndSync"): readonly number[] =>
    rounds.map((rates) => rates[what] / rates[peer]);
  report({
    bench: `checkpoint ${what}`,
    value: median(rounds.map((rates) => rates[what])),
    unit: "MB/s",
    details: {
      partOfCp: median(ratios("copy")),
      partOfCpAndSync: median(ratios("copyAndSync")),
      eventLoopLagP99Ms: median(rounds.map((rates) => rates[`${what}Loop`].lagP99Ms)),
      eventLoopBusyPart: median(rounds.map((rates) => rates[`${what}Loop`].busyPart)),
      cpMbPerSecond: median(rounds.map((rates) => rates.copy)),
      cpAndSyncMbPerSecond: median(rounds.map((rates) => rates.copyAndSync)),
      files: FILES,
      fileBytes: FILE_BYTES,
    },
  });
}

const names = (): readonly string[] => Array.from({ length: FILES }, (_, n) => `rank-${n}.pt`);

async function writeFiles(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const name of names()) {
    await writeFile(join(dir, name), randomFillSync(Buffer.allocUnsafe(FILE_BYTES)));
  }
}

async function list(dir: string, path: string): Promise<ListedFile> {
  const { size, mtimeMs, ino } = await stat(join(dir, path));
  return { path, sizeBytes: size, mtimeMs, inode: ino };
}
