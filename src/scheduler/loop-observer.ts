// What the writer loop tells those who measure it. Data only.

/** One batch of commands that was decided, committed and answered. */
export interface BatchReport {
  readonly commands: number;
  readonly refusals: number;
  readonly events: number;
  readonly decideMs: number;
  /** 0 when nothing had to be written. */
  readonly commitMs: number;
}

/** One planning pass. */
export interface PlanReport {
  /** By the loop's clock. */
  readonly atMs: number;
  readonly planMs: number;
  readonly commitMs: number;
  readonly starts: number;
  readonly evictions: number;
  readonly reservations: number;
  readonly holds: number;
}

export interface LoopObserver {
  batchDone(report: BatchReport): void;
  planDone(report: PlanReport): void;
}

/** The loop as it stands now. */
export interface LoopStats {
  readonly queueDepth: number;
  readonly queueDepthMax: number;
  /** Newest durable event. */
  readonly seq: number;
  readonly logFirstSeq: number;
  /** Event that the newest snapshot covers; 0 = there is none. */
  readonly snapshotSeq: number;
  /** When the last planning pass ended well; null before the first. */
  readonly lastPlanAtMs: number | null;
  /** Wall clock minus the loop's clock. */
  readonly clockSkewMs: number;
}
