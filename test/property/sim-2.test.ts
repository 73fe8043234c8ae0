// The second half of the simulated seeds; see sim-1.

import { expect, test } from "vitest";
import { runShare } from "./sim-seeds.ts";

test("whatever breaks, no promise does; once healed, all that can run ends (even seeds)", () => {
  const { failures, lookedAt } = runShare(1, 2);
  expect(failures.join("\n")).toBe("");
  expect(lookedAt).toBeGreaterThan(0);
});
