// Virtual training: what a gang's processes do between their start and their end. Owns the truth about
// how far each job has really come; the cores never see it.

import { assert } from "../base/assert.ts";
import type { JobId } from "../base/ids.ts";
import type { Prng } from "../base/prng.ts";
import type { Timeline, Timer } from "./timeline.ts";

/** How one job's script behaves. Times in milliseconds. */
export interface Profile {
  readonly steps: number;
  readonly stepMs: number;
  /** 0 = it never saves. */
  readonly checkpointSteps: number;
  /** Sharded: every rank writes its part. Else only rank 0 does. */
  readonly isSharded: boolean;
  /** What it does when asked to stop. */
  readonly onStop: "save" | "die" | "ignore";
  /** Chance in thousandths that an attempt fails somewhere on its way. */
  readonly failure: number;
  /** What the others do when one rank is gone. */
  readonly onPeerLoss: "hang" | "abort";
  readonly prepareMs: number;
}

/** What a gang sees of one rank's processes. */
export interface Member {
  readonly isOver: boolean;
  /** Has begun to end by itself. */
  readonly isLeaving: boolean;
  readonly isFrozen: boolean;
  exitSoon(delayMs: number, code: number): void;
  saved(step: number): void;
}

/** The gang of one attempt. */
export class Gang {
  readonly jobId: JobId;
  readonly attempt: number;
  /** Checkpoints that it has written, oldest first. */
  readonly saves: { readonly step: number; readonly atMs: number }[] = [];
  private readonly profile: Profile;
  private readonly size: number;
  private readonly timeline: Timeline;
  private readonly prng: Prng;
  private readonly members = new Map<number, Member>();
  private startStep = 0;
  private joinedAtMs: number | null = null;
  private failsAtStep: number | null = null;
  private state: "gathering" | "training" | "saving" | "broken" | "finished" = "gathering";
  private milestone: Timer | null = null;

  constructor(
    options: {
      readonly jobId: JobId;
      readonly attempt: number;
      readonly size: number;
      readonly profile: Profile;
    },
    timeline: Timeline,
    prng: Prng,
  ) {
    this.jobId = options.jobId;
    this.attempt = options.attempt;
    this.size = options.size;
    this.profile = options.profile;
    this.timeline = timeline;
    this.prng = prng;
  }

  /** Trained to the last step. */
  get isFinished(): boolean {
    return this.state === "finished";
  }

  /** A rank's process is up. The last one to come starts the training. */
  join(rank: number, member: Member, startStep: number, canFail: boolean): void {
    assert(!this.members.has(rank), `rank ${rank} of ${this.jobId}/${this.attempt} joins twice`);
    const isFirst = this.members.size === 0;
    assert(isFirst || startStep === this.startStep, `${this.jobId}: ranks resume differently`);
    this.startStep = startStep;
    this.members.set(rank, member);
    if (this.state !== "gathering" || this.members.size < this.size) return;
    if ([...this.members.values()].some((other) => other.isOver)) return;
    this.state = "training";
    this.joinedAtMs = this.timeline.nowMs;
    if (canFail && this.prng.chance(this.profile.failure, 1_000)) {
      this.failsAtStep = startStep + this.prng.below(this.profile.steps - startStep + 1);
    }
    this.planMilestone();
  }

  /** A rank was asked to stop; the ranks of a script that saves agree on it among themselves. */
  stopAsked(member: Member): void {
    if (this.state === "saving" || this.state === "finished") return;
    const { onStop } = this.profile;
    if (this.state !== "training") return member.exitSoon(this.prng.below(1_000), 143);
    if (onStop === "ignore") return;
    if (onStop === "die") return member.exitSoon(this.prng.below(2_000), 143);
    this.state = "saving";
    this.milestone?.cancel();
    this.milestone = this.timeline.after(100 + this.prng.below(2_900), () => {
      if (this.state !== "saving") return;
      this.save(this.step());
      this.exitAll(0, 1_000);
    });
  }

  /** A process of the gang is gone, for whatever reason. */
  memberGone(): void {
    if (this.state === "finished" || this.state === "broken") return;
    if (this.state === "saving" && [...this.members.values()].some((member) => member.isLeaving)) {
      return; // They are leaving in good order.
    }
    this.state = "broken";
    this.milestone?.cancel();
    if (this.profile.onPeerLoss === "abort") this.exitAll(1, 3_000);
  }

  /** Only rank 0 writes unless the job is sharded. */
  writes(rank: number): boolean {
    return this.profile.isSharded || rank === 0;
  }

  private step(): number {
    const ran = this.timeline.nowMs - (this.joinedAtMs ?? this.timeline.nowMs);
    const reached = this.startStep + Math.floor(ran / this.profile.stepMs);
    return Math.min(reached, this.profile.steps);
  }

  private planMilestone(): void {
    const now = this.step();
    const every = this.profile.checkpointSteps;
    const next = every === 0 ? Infinity : (Math.floor(now / every) + 1) * every;
    const at = Math.min(next, this.profile.steps, this.failsAtStep ?? Infinity);
    const dueMs = (this.joinedAtMs ?? 0) + (at - this.startStep) * this.profile.stepMs;
    this.milestone = this.timeline.after(dueMs - this.timeline.nowMs, () => this.reach(at));
  }

  private reach(step: number): void {
    if (this.state !== "training") return;
    if ([...this.members.values()].some((member) => member.isFrozen)) {
      // A collective waits for the member whose machine sleeps.
      this.joinedAtMs = (this.joinedAtMs ?? 0) + 500;
      this.milestone = this.timeline.after(500, () => this.reach(step));
      return;
    }
    if (step === this.failsAtStep) return this.fail();
    const isEnd = step >= this.profile.steps;
    if (isEnd || step % this.profile.checkpointSteps === 0) {
      if (this.profile.checkpointSteps > 0 && step > this.startStep) this.save(step);
    }
    if (!isEnd) return this.planMilestone();
    this.state = "finished";
    this.exitAll(0, 2_000);
  }

  private fail(): void {
    const victim = this.prng.pick([...this.members.values()]);
    victim.exitSoon(0, this.prng.chance(1, 2) ? 1 : 139);
  }

  private save(step: number): void {
    if (this.profile.checkpointSteps === 0 || step <= this.startStep) return;
    this.saves.push({ step, atMs: this.timeline.nowMs });
    for (const [rank, member] of this.members) if (this.writes(rank)) member.saved(step);
  }

  private exitAll(code: number, withinMs: number): void {
    for (const member of this.members.values()) member.exitSoon(this.prng.below(withinMs), code);
  }
}
