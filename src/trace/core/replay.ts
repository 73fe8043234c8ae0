// Replays a log: folds it, and at each planning pass decides again and holds the outcome against what
// the log has. Owns what counts as the same: the bytes of each event as JSON.
//
// The log has events, not commands, so what clients and agents asked is taken as it was decided. A
// planning pass depends on nothing but the state, the instant and the policy, and all three are in
// the log: its events must come out the same. Passes that decided nothing left no event, and changed
// nothing either.

import { apply } from "../../scheduler/core/apply.ts";
import { planStep } from "../../scheduler/core/cycle.ts";
import type { LoggedEvent } from "../../scheduler/core/events.ts";
import { isPlanned } from "../../scheduler/core/plan-changes.ts";
import type { MutableClusterState } from "../../scheduler/core/state.ts";

export interface Difference {
  readonly seq: number;
  /** The event as JSON; null = the log ends where an event was due. */
  readonly logged: string | null;
  /** What was decided this time; null = nothing (more). */
  readonly replayed: string | null;
}

export interface ReplaySummary {
  readonly events: number;
  /** Planning passes that decided something. */
  readonly passes: number;
  /** Events that these passes wrote. */
  readonly plannedEvents: number;
  /** Of these, jobs placed. */
  readonly placements: number;
  /** Of these, jobs asked to leave for another. */
  readonly preemptions: number;
  /** The first one; null = the log was reproduced byte for byte. */
  readonly difference: Difference | null;
}

export class Replay {
  readonly #state: MutableClusterState;
  /** What is left of a pass that was decided again, and applied. */
  #due: LoggedEvent[] = [];
  #summary: ReplaySummary = {
    events: 0,
    passes: 0,
    plannedEvents: 0,
    placements: 0,
    preemptions: 0,
    difference: null,
  };

  /** `state` is that before the first event, and is changed. */
  constructor(state: MutableClusterState) {
    this.#state = state;
  }

  /** Takes the next event of the log. False when it differs: then nothing after it means anything. */
  next(logged: LoggedEvent): boolean {
    this.#count({ events: 1 });
    if (this.#due.length === 0 && !isPlanned(logged)) {
      apply(this.#state, logged);
      return true;
    }
    if (this.#due.length === 0) {
      this.#due = [...planStep(this.#state, logged.atMs).events];
      this.#count({ passes: 1 });
    }
    const replayed = this.#due.shift();
    const [was, is] = [JSON.stringify(logged), replayed && JSON.stringify(replayed)];
    if (was !== is) return this.#differs({ seq: logged.seq, logged: was, replayed: is ?? null });
    this.#count({
      plannedEvents: 1,
      placements: logged.event.kind === "job.placed" ? 1 : 0,
      preemptions: logged.event.kind === "job.stopping" ? 1 : 0,
    });
    return true;
  }

  /** After the last event. */
  finish(): ReplaySummary {
    const [due] = this.#due;
    if (due !== undefined && this.#summary.difference === null) {
      this.#differs({ seq: due.seq, logged: null, replayed: JSON.stringify(due) });
    }
    return this.#summary;
  }

  #differs(difference: Difference): false {
    this.#summary = { ...this.#summary, difference };
    return false;
  }

  #count(by: Partial<Record<Exclude<keyof ReplaySummary, "difference">, number>>): void {
    const { events, passes, plannedEvents, placements, preemptions } = this.#summary;
    this.#summary = {
      ...this.#summary,
      events: events + (by.events ?? 0),
      passes: passes + (by.passes ?? 0),
      plannedEvents: plannedEvents + (by.plannedEvents ?? 0),
      placements: placements + (by.placements ?? 0),
      preemptions: preemptions + (by.preemptions ?? 0),
    };
  }
}
