import { expect, test } from "vitest";
import { HOUR_MS } from "../../base/time.ts";
import { Ends } from "./ends.ts";
import { jobSpec, World } from "./fixture.ts";
import { Pass } from "./pass.ts";
import { Seats } from "./seats.ts";
import { shapeOf } from "./shape.ts";

test("what was found out about a node holds until somebody is asked to leave it", () => {
  const world = new World().nodes(2, 8);
  const [, , last] = [
    { gpus: 8, timeLimitMs: 5 * HOUR_MS },
    { gpus: 4, timeLimitMs: HOUR_MS },
    { gpus: 4, timeLimitMs: 9 * HOUR_MS },
  ].map((change) => world.submit(change));
  if (last === undefined) throw new Error("three jobs");
  world.plan();
  world.run();
  const pass = new Pass(world.state, world.nowMs, world.policy);
  const seats = new Seats(pass, new Ends(pass), () => 0);
  const soonest = (gpus: number): readonly (readonly [string, number])[] =>
    (seats.soonest(shapeOf(jobSpec({ gpus }))) ?? []).map(({ slot, readyMs }) => {
      return [slot.id, (readyMs - world.nowMs) / HOUR_MS];
    });
  expect(soonest(8)).toEqual([["node-1", 5]]);
  expect(soonest(4)).toEqual([["node-2", 1]]);
  const { graceMs } = world.job(last).spec;
  pass.evict({ victim: last, preemptor: last, how: "drain", why: "", next: [] });
  expect(soonest(4)).toEqual([["node-2", graceMs / HOUR_MS]]);
  expect(soonest(8)).toEqual([["node-2", 1]]);
});
