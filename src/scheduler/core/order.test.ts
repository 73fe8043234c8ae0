import { expect, test } from "vitest";
import { step } from "./cycle.ts";
import { ALICE, jobSpec, World } from "./fixture.ts";

function submitAs(world: World, user: string): void {
  const command = { kind: "job.submit", spec: jobSpec() } as const;
  step(world.state, { command, actor: { ...ALICE, user }, request: null }, world.nowMs);
}

test("inside a class the user who holds the fewest GPUs goes first, however late he came", () => {
  const world = new World().nodes(1, 4);
  for (const user of ["ann", "ann", "ann", "ann", "bob", "bob"]) submitAs(world, user);
  const { starts } = world.plan();
  const owners = starts.map(({ jobId }) => world.job(jobId).owner.user);
  expect(owners).toEqual(["ann", "bob", "ann", "bob"]);
});
