// One look at a checkpoint folder: what is there, what of it is complete, and the staging of that.
// Remembers only for how long each candidate has been the same.

import type { Digest } from "../base/ids.ts";
import type { Clock } from "../base/time.ts";
import { digestOf } from "../objects/digest.ts";
import { type Facts, type FileEnd, judge, type QuietPeriods } from "./core/completeness.ts";
import { type Candidate, findCandidates, isTorchFile, signatureOf } from "./core/layouts.ts";
import { endOfFile, openForWriting, scanFolder } from "./scan.ts";
import { join } from "node:path";
import type { Sender } from "./sender.ts";
import type { WatchedTask } from "./watched-task.ts";

export interface FinderDeps {
  readonly clock: Clock;
  readonly quiet: QuietPeriods;
  readonly task: Pick<WatchedTask, "dir" | "patterns" | "pidsOf" | "dedupeAgainst">;
  readonly sender: Pick<Sender, "isHandled" | "hasNewer" | "take">;
}

interface Sighting {
  readonly signature: Digest;
  readonly sinceMs: number;
}

export class Finder {
  readonly #deps: FinderDeps;
  #sightings = new Map<string, Sighting>();

  constructor(deps: FinderDeps) {
    this.#deps = deps;
  }

  /** Milliseconds after which another look may find more; null = nothing is being written. */
  async look(isFinal: boolean): Promise<number | null> {
    const { task } = this.#deps;
    const scan = await scanFolder(task.dir);
    const committedStep = task.dedupeAgainst()?.step ?? -1;
    // The newest first: an older one that has not begun is not worth the bandwidth any more.
    const candidates = findCandidates({ ...scan, patterns: task.patterns }).toReversed();
    const sightings = new Map<string, Sighting>();
    let nextMs: number | null = null;
    for (const candidate of candidates) {
      if (candidate.step !== null && candidate.step <= committedStep) continue;
      const sighting = this.#sight(candidate);
      if (this.#deps.sender.isHandled(candidate.key, sighting.signature)) continue;
      if (this.#deps.sender.hasNewer(candidate.step)) continue;
      sightings.set(candidate.key, sighting);
      const forMs = await this.#consider(candidate, sighting, isFinal);
      if (forMs !== null) nextMs = Math.min(nextMs ?? forMs, forMs);
    }
    this.#sightings = sightings;
    return nextMs;
  }

  #sight(candidate: Candidate): Sighting {
    const signature = digestOf(Buffer.from(signatureOf(candidate)));
    const before = this.#sightings.get(candidate.key);
    if (before?.signature === signature) return before;
    return { signature, sinceMs: this.#deps.clock.monotonicMs() };
  }

  /**
   * Milliseconds until it is worth looking again; null = it was taken, or never will be as it is.
   */
  async #consider(
    candidate: Candidate,
    sighting: Sighting,
    isFinal: boolean,
  ): Promise<number | null> {
    const { quiet, sender } = this.#deps;
    const unchangedForMs = this.#deps.clock.monotonicMs() - sighting.sinceMs;
    // The files are opened only when nothing else speaks against.
    const tooSoonMs = quiet.withEvidenceMs - unchangedForMs;
    if (!isFinal && tooSoonMs > 0) return tooSoonMs;
    const facts = await this.#factsOf(candidate, unchangedForMs, isFinal);
    const verdict = judge(candidate, facts, quiet);
    switch (verdict.kind) {
      case "waiting":
        return verdict.forMs;
      case "torn":
        return null;
      case "complete": {
        const isTaken = await sender.take(candidate, sighting.signature);
        return isTaken ? null : quiet.withEvidenceMs;
      }
    }
  }

  async #factsOf(candidate: Candidate, unchangedForMs: number, isFinal: boolean): Promise<Facts> {
    const { task, clock } = this.#deps;
    const ends = new Map<string, FileEnd>();
    for (const { path } of candidate.files.filter((file) => isTorchFile(file.path))) {
      ends.set(path, await endOfFile(join(task.dir, path)));
    }
    const open = await openForWriting(task.dir, task.pidsOf());
    const newestMs = Math.max(0, ...candidate.files.map(({ mtimeMs }) => mtimeMs));
    return {
      unchangedForMs,
      sinceWriteMs: clock.nowMs() - newestMs,
      hasOpenWriter: candidate.files.some(({ path }) => open.has(path)),
      ends,
      isFinal,
    };
  }
}
