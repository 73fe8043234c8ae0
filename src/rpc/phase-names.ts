// The phases of a job as the wire names them: what the scheduler answers and the command line asks for.

export const PHASE_NAMES = [
  "PENDING",
  "PLACED",
  "STARTING",
  "RUNNING",
  "PREEMPTING",
  "STOPPING",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
] as const;
export type PhaseName = (typeof PHASE_NAMES)[number];
