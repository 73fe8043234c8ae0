import { expect, test } from "vitest";
import { linearScale } from "./chart.ts";

test.each([
  [0.99, ["0", "0.25", "0.5", "0.75", "1"]],
  [0.7, ["0", "0.2", "0.4", "0.6", "0.8"]],
  [0, ["0", "0.25", "0.5", "0.75", "1"]],
  [57, ["0", "20", "40", "60"]],
])("the ticks up to %d are as people write them", (largest, labels) => {
  expect(linearScale(largest, String).ticks.map(({ label }) => label)).toEqual(labels);
});
