// Deliberate mistakes in the simulated shells, to prove that the simulation would notice them. All off
// in an ordinary run; a test switches one on and expects a violation.

export interface Sabotage {
  /** Supervisors end their task when the machine's lease does, with or without an agent. */
  readonly supervisorHoldsLease: boolean;
  /** Agents stop their tasks when their lease ends. */
  readonly agentHoldsLease: boolean;
  /** A restarted agent still knows that it had been told to stop a task. */
  readonly agentKeepsStopOrders: boolean;
  /** A restarted agent takes up what runs on its machine. */
  readonly agentAdopts: boolean;
  /** Milliseconds that the scheduler waits after a lease. */
  readonly leaseMarginMs: number;
  /** After a restart the scheduler counts every node as heard. */
  readonly restartGrantsLease: boolean;
  /** Replies and orders leave only after the commit. */
  readonly repliesAfterCommit: boolean;
  readonly publishesAfterCommit: boolean;
  /** Request ids reach the core. */
  readonly passesRequestIds: boolean;
  /** Agents are told of changes. */
  readonly publishes: boolean;
  /** The scheduler waits for the agents to say that a stopped task is over. */
  readonly waitsForStopped: boolean;
  /** Manifests are written only for whole checkpoints of the newest attempt. */
  readonly commitsWholeOnly: boolean;
  /** What a job would resume from is never deleted from the store. */
  readonly retentionSparesResume: boolean;
  /** The scheduler plans again when time alone changes the answer. */
  readonly wakes: boolean;
}

export const NO_SABOTAGE: Sabotage = {
  supervisorHoldsLease: true,
  agentHoldsLease: true,
  agentKeepsStopOrders: true,
  agentAdopts: true,
  leaseMarginMs: 5_000,
  restartGrantsLease: true,
  repliesAfterCommit: true,
  publishesAfterCommit: true,
  passesRequestIds: true,
  publishes: true,
  waitsForStopped: true,
  commitsWholeOnly: true,
  retentionSparesResume: true,
  wakes: true,
};
