// The simulator itself: it is deterministic, its seeds differ, and it has teeth: each deliberate
// mistake in the shells around the cores is found within some hundred seeds.

import { describe, expect, test } from "vitest";
import type { Faults } from "../../src/sim/faults.ts";
import type { Sabotage } from "../../src/sim/sabotage.ts";
import { simulate } from "../../src/sim/simulate.ts";

const SEEDS_MAX = 800;
/** Agents that often die in the middle of something: some mistakes matter only then. */
const FRAIL_AGENTS = { crashAtAction: 200 };

test("the same seed gives the same bytes, line by line, and another seed gives others", () => {
  const first = simulate({ seed: 3, keepsLines: true });
  const second = simulate({ seed: 3, keepsLines: true });
  expect(second).toEqual(first);
  expect(first.lines.length).toBeGreaterThan(100);
  expect(simulate({ seed: 4 }).digest).not.toBe(first.digest);
});

describe("a mistake is found", () => {
  const noLease = { supervisorHoldsLease: false, agentHoldsLease: false };
  const mistakes: readonly (readonly [string, Partial<Sabotage>, RegExp])[] = [
    ["neither agent nor supervisor holds the lease", noLease, /runs beside/],
    ["supervisors trust their agent to hold the lease", { supervisorHoldsLease: false }, /beside/],
    ["nodes are given up before their lease ends", { leaseMarginMs: -6_000 }, /runs beside/],
    ["a restarted scheduler gives up nodes at once", { restartGrantsLease: false }, /beside/],
    ["a restarted agent forgets what runs", { agentAdopts: false }, /runs beside/],
    ["GPUs are freed when a stop is ordered", { waitsForStopped: false }, /runs beside/],
    ["replies leave before the commit", { repliesAfterCommit: false }, /not durable|is lost/],
    ["orders leave before the commit", { publishesAfterCommit: false }, /log knows nothing/],
    ["request ids are dropped", { passesRequestIds: false }, /not durable|two jobs/],
    ["agents are told of no change", { publishes: false }, /not at rest/],
    ["nobody wakes the planner", { wakes: false }, /not at rest/],
    ["checkpoints are committed with parts missing", { commitsWholeOnly: false }, /with parts/],
    ["retention takes what is resumed from", { retentionSparesResume: false }, /was deleted/],
  ];
  test.each(mistakes)("%s", (_name, sabotage, expected) => {
    expect(firstViolation(sabotage)).toMatch(expected);
  });

  test("a restarted agent forgets its stop orders", () => {
    const found = firstViolation({ agentKeepsStopOrders: false }, FRAIL_AGENTS);
    expect(found).toMatch(/counts as succeeded, but/);
  });
});

function firstViolation(sabotage: Partial<Sabotage>, faults: Partial<Faults> = {}): string {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const { violation } = simulate({ seed, sabotage, faults });
    if (violation !== null) return violation;
  }
  return `nothing wrong in ${SEEDS_MAX} seeds`;
}
