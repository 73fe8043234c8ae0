// One turn of the brain: a command becomes logged events, and a planning pass becomes logged events.
// The daemon, the tests, the simulator and every replay run exactly this. It keeps no state of its
// own; the policy, too, is part of the state.

import { assert, must } from "../../base/assert.ts";
import { type Refusal, refuse } from "../../base/errors.ts";
import type { JobId } from "../../base/ids.ts";
import { apply } from "./apply.ts";
import { isArrayOver } from "./array.ts";
import type { Accepted, Envelope } from "./commands.ts";
import { actorText, decide } from "./decide.ts";
import { isRefusal } from "./decision.ts";
import type { ClusterEvent, LoggedEvent } from "./events.ts";
import { jobOf } from "./lookup.ts";
import { sharesToNote } from "./note-shares.ts";
import { plan } from "./plan.ts";
import type { Eviction, Plan } from "./plan-types.ts";
import { type Attempt, activeAttempt, isEnded } from "./job.ts";
import { react } from "./react.ts";
import type { ClusterState, MutableClusterState } from "./state.ts";
import { verifyPlan } from "./verify.ts";

export interface StepResult {
  readonly events: readonly LoggedEvent[];
  readonly reply: Accepted | Refusal;
}

/** Decides the command and applies what it does. A repeated request id changes nothing. */
export function step(state: MutableClusterState, envelope: Envelope, nowMs: number): StepResult {
  const known = knownRequest(state, envelope);
  if (known !== null) return { events: [], reply: known };
  const decision = decide(state, envelope, nowMs, state.policy);
  if (isRefusal(decision)) return { events: [], reply: decision };
  const turn = new Turn(state, nowMs, actorText(envelope.actor), envelope.request);
  for (const event of decision) turn.happen(event);
  if (decision.length === 0 && envelope.request !== null) turn.happen({ kind: "request.noted" });
  const jobId = replyJob(envelope, decision);
  return { events: turn.logged, reply: { kind: "accepted", jobId, isRepeat: false } };
}

/** Plans, proves the plan, and applies it. A plan that fails its proof is a bug and changes nothing. */
export function planStep(
  state: MutableClusterState,
  nowMs: number,
): { readonly events: readonly LoggedEvent[]; readonly plan: Plan } {
  const { policy } = state;
  const proposed = plan(state, nowMs, policy);
  const faults = verifyPlan(state, proposed, policy);
  assert(faults.length === 0, `the plan is not sound: ${faults.join("; ")}`);
  const turn = new Turn(state, nowMs, "scheduler", null);
  for (const event of planEvents(state, proposed, nowMs)) turn.happen(event);
  for (const event of sharesToNote(state, nowMs)) turn.happen(event);
  return { events: turn.logged, plan: proposed };
}

/** Applies events one after the other, each followed at once by what follows from it. */
class Turn {
  readonly logged: LoggedEvent[] = [];
  private readonly state: MutableClusterState;
  private readonly nowMs: number;
  private readonly actor: string;
  private readonly request: Envelope["request"];

  constructor(
    state: MutableClusterState,
    nowMs: number,
    actor: string,
    request: Envelope["request"],
  ) {
    assert(nowMs >= state.atMs, `time ran backwards: ${nowMs} after ${state.atMs}`);
    this.state = state;
    this.nowMs = nowMs;
    this.actor = actor;
    this.request = request;
  }

  /** No recursion: a chain of jobs that wait for each other may fall as a whole. */
  happen(first: ClusterEvent): void {
    const due = [first];
    for (let event = due.pop(); event !== undefined; event = due.pop()) {
      if (isOvertaken(this.state, event)) continue;
      const logged: LoggedEvent = {
        seq: this.state.seq + 1,
        atMs: this.nowMs,
        actor: this.actor,
        request: this.logged.length === 0 ? this.request : null,
        event,
      };
      apply(this.state, logged);
      this.logged.push(logged);
      const next = react(this.state, event, this.nowMs, this.state.policy);
      for (let at = next.length - 1; at >= 0; at -= 1) due.push(must(next[at], "event"));
    }
  }
}

/** One end may follow from another in two ways: only the first one happens. */
function isOvertaken(state: ClusterState, event: ClusterEvent): boolean {
  if (event.kind !== "job.ended" && event.kind !== "job.dependency-met") return false;
  const array = state.arrays.get(event.jobId);
  if (array !== undefined) return isArrayOver(array);
  return isEnded(jobOf(state, event.jobId).phase);
}

function knownRequest(state: ClusterState, envelope: Envelope): Accepted | Refusal | null {
  const { request } = envelope;
  const before = request === null ? undefined : state.requests.get(request.id);
  if (request === null || before === undefined) return null;
  if (before.fingerprint === request.fingerprint) {
    return { kind: "accepted", jobId: before.jobId, isRepeat: true };
  }
  return refuse(
    "REQUEST_ID_REUSED",
    `Request id "${request.id}" was used before for another call.`,
    "Use a new id for each call, and the same id only to repeat it.",
    "request_id",
  );
}

function replyJob(envelope: Envelope, decision: readonly ClusterEvent[]): JobId | null {
  const { command } = envelope;
  if ("jobId" in command) return command.jobId;
  const first = decision[0];
  const isSubmitted = first?.kind === "job.submitted" || first?.kind === "array.submitted";
  return isSubmitted ? first.jobId : null;
}

/**
 * Drops first, so that what they free may be reserved or taken by what comes after. Who is to
 * change its size is told to stop before room is kept for it.
 */
function planEvents(state: ClusterState, plan: Plan, nowMs: number): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  for (const drop of plan.drops) events.push({ kind: "reservation.dropped", ...drop });
  for (const start of plan.starts) {
    const attempt = jobOf(state, start.jobId).attemptLast + 1;
    events.push({ kind: "job.placed", ...start, attempt });
  }
  const reserved: ClusterEvent[] = [];
  for (const reservation of plan.reservations) {
    const isPending = jobOf(state, reservation.jobId).phase.kind === "pending";
    (isPending ? events : reserved).push({ kind: "reservation.made", ...reservation });
  }
  for (const eviction of plan.evictions) events.push(evicted(state, eviction, nowMs));
  return [...events, ...reserved];
}

function evicted(state: ClusterState, eviction: Eviction, nowMs: number): ClusterEvent {
  const job = jobOf(state, eviction.victim);
  const attempt = activeAttempt(job.phase);
  assert(attempt !== null && job.phase.kind !== "stopping", `${job.id} is no victim`);
  const { how, preemptor, why } = eviction;
  return {
    kind: "job.stopping",
    jobId: job.id,
    attempt: attempt.number,
    cause: { kind: "preempted", how, preemptor, why },
    deadlineMs: Math.min(nowMs + job.spec.graceMs, goneAtMs(state, attempt, nowMs)),
  };
}

/** When the first of its nodes goes away by notice, and not before now. */
function goneAtMs(state: ClusterState, { placement }: Attempt, nowMs: number): number {
  const at = placement.map(({ nodeId }) => state.nodes.get(nodeId)?.goesAtMs ?? Infinity);
  return Math.max(nowMs, Math.min(...at));
}
