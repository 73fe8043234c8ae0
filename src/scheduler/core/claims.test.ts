import { expect, test } from "vitest";
import type { JobId } from "../../base/ids.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import { World } from "./fixture.ts";
import { activeAttempt } from "./job.ts";

const NOW = { gangPatienceMs: 0 };

/** One node is taken for `ms`; a gang of two nodes waits for it, and keeps the other. */
function gangWaits(ms: number | null, policy = {}): { world: World; running: JobId; gang: JobId } {
  const world = new World(undefined, { ...NOW, ...policy }).nodes(2, 2);
  const running = world.submit({ gpus: 2, timeLimitMs: ms });
  world.plan();
  world.run();
  const gang = world.submit({ nodes: 2, gpus: 2 });
  world.plan();
  return { world, running, gang };
}

const nodesOf = (world: World, id: JobId): readonly string[] =>
  (activeAttempt(world.job(id).phase)?.placement ?? []).map(({ nodeId }) => nodeId);

test("a job that ends before the gang starts runs ahead of it; one that does not waits", () => {
  const { world, gang } = gangWaits(HOUR_MS);
  const [brief, long, unknown] = [HOUR_MS, HOUR_MS + 1, null].map((timeLimitMs) =>
    world.submit({ timeLimitMs }),
  ) as [JobId, JobId, JobId];
  const { starts, holds } = world.plan();
  expect(starts.map(({ jobId }) => jobId)).toEqual([brief]);
  const kept = { code: "RESERVED_FOR_OTHER", holder: gang, untilMs: world.nowMs + HOUR_MS };
  expect([long, unknown].map((id) => holds.of(id))).toMatchObject([kept, kept]);
});

test("who runs ahead takes no more than is claimed and free, and the gang starts when it said", () => {
  const { world, running, gang } = gangWaits(HOUR_MS);
  const brief = [1, 2, 3].map(() => world.submit({ timeLimitMs: HOUR_MS / 2 }));
  world.plan();
  expect(brief.map((id) => world.phase(id))).toEqual(["placed", "placed", "pending"]);
  world.run();
  world.nowMs += HOUR_MS / 2;
  for (const id of brief.slice(0, 2)) world.end(id);
  world.plan();
  expect(world.phase(brief[2] ?? gang)).toBe("placed");
  world.run();
  world.nowMs += HOUR_MS / 2;
  world.end(brief[2] ?? gang);
  world.end(running);
  world.plan();
  expect(nodesOf(world, gang)).toEqual(["node-1", "node-2"]);
});

test("the gang claims the nodes that are free first, not those with most free", () => {
  const world = new World(undefined, NOW).nodes(3, 4);
  const ends = [3, 1, 2].map((hours) => world.submit({ gpus: 3, timeLimitMs: hours * HOUR_MS }));
  world.plan();
  world.run();
  const late = nodesOf(world, ends[0] as JobId);
  world.submit({ nodes: 2, gpus: 4 });
  const stray = world.submit();
  world.plan();
  expect(nodesOf(world, stray)).toEqual(late);
});

test("where nobody knows when the gang starts, nobody of unknown end runs on what it claims", () => {
  const { world, gang } = gangWaits(null);
  const [known, unknown] = [HOUR_MS, null].map((timeLimitMs) => world.submit({ timeLimitMs }));
  const { starts, holds } = world.plan();
  expect(starts.map(({ jobId }) => jobId)).toEqual([known]);
  const hold = { code: "RESERVED_FOR_OTHER", holder: gang, untilMs: null };
  expect(holds.of(unknown as JobId)).toMatchObject(hold);
});

test("a gang that has waited for its latest start gives nothing away", () => {
  const { world, gang } = gangWaits(2 * DAY_MS);
  world.nowMs += world.policy.gangLatestStartMs - 1;
  world.submit({ timeLimitMs: MINUTE_MS });
  expect(world.plan().starts).toHaveLength(1);
  world.nowMs += 1;
  const late = world.submit({ timeLimitMs: MINUTE_MS });
  expect(world.plan().holds.of(late)).toMatchObject({ code: "RESERVED_FOR_OTHER", holder: gang });
});

test("a forecast counts as a time limit does", () => {
  const { world } = gangWaits(HOUR_MS);
  const jobId = world.submit();
  expect(world.plan().starts).toEqual([]);
  world.must({ kind: "job.forecast", jobId, remainingMs: MINUTE_MS });
  expect(world.plan().starts).toMatchObject([{ jobId }]);
});
