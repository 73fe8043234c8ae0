import { expect, test } from "vitest";
import { placeBatch } from "./position.ts";

test.each([
  { stored: 0, from: 0, to: 100, is: "store" },
  { stored: 100, from: 100, to: 101, is: "store" },
  { stored: 100, from: 0, to: 100, is: "known" },
  { stored: 100, from: 20, to: 40, is: "known" },
  { stored: 100, from: 100, to: 100, is: "known" },
  { stored: 100, from: 50, to: 150, is: "rewind" },
  { stored: 100, from: 101, to: 150, is: "rewind" },
  { stored: 100, from: 150, to: 150, is: "rewind" },
])("at $stored a batch [$from, $to) is: $is", ({ stored, from, to, is }) => {
  expect(placeBatch(stored, from, to)).toBe(is);
});
