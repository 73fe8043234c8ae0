// The first half of the simulated seeds; sim-2 has the other one, so that both run at the same time.

import { expect, test } from "vitest";
import { runShare } from "./sim-seeds.ts";

test("whatever breaks, no promise does; once healed, all that can run ends (odd seeds)", () => {
  const { failures, lookedAt } = runShare(0, 2);
  expect(failures.join("\n")).toBe("");
  expect(lookedAt).toBeGreaterThan(0);
});
