// When a silent node may be given up. The agent counts its lease from the SENDING of its last
// acknowledged heartbeat and stops its tasks by itself when it ends; the scheduler counts from the
// RECEIPT, which is later, and adds a margin for the stopping. So no task still runs when its node is
// lost, whatever the network does.

export interface LeaseTerms {
  /** Default 15 s. */
  readonly leaseMs: number;
  /** For the agent to end its tasks and for clocks that run at different speeds. Default 5 s. */
  readonly marginMs: number;
}

/** Monotonic instant from which the node is lost. */
export function lostAtMs(lastHeardMs: number, terms: LeaseTerms): number {
  return lastHeardMs + terms.leaseMs + terms.marginMs;
}
