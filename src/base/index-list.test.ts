import { expect, it } from "vitest";
import { parseIndexes } from "./index-list.ts";

it.each([
  ["0-3", [0, 1, 2, 3]],
  ["7", [7]],
  ["9, 1,3-5", [1, 3, 4, 5, 9]],
  ["0-10:5", [0, 5, 10]],
])("%s is %j", (text, indexes) => {
  expect(parseIndexes(text)).toEqual(indexes);
});

it.each([
  ["", "is not a list of indexes such as 0-99, 1,3,5-9 or 0-100:10"],
  ["-1", "is not a list of indexes such as 0-99, 1,3,5-9 or 0-100:10"],
  ["a-b", "is not a list of indexes such as 0-99, 1,3,5-9 or 0-100:10"],
  ["1000000", "is not a list of indexes such as 0-99, 1,3,5-9 or 0-100:10"],
  ["5-3", "has the range 5-3, which is empty"],
  ["0-9:0", "has the range 0-9:0, which is empty"],
  ["0-3,2", "has index 2 twice"],
  ["0-10000", "has more than 10000 indexes"],
])("%j %s", (text, problem) => {
  expect(parseIndexes(text)).toBe(problem);
});
