import { expect, test } from "vitest";
import { Parts } from "./wire-parts.ts";

test("parts stop in the opposite order, each once, and one that fails stops no other", async () => {
  const parts = new Parts();
  const stopped: string[] = [];
  parts.add(() => stopped.push("first"));
  parts.add(() => {
    stopped.push("second");
    throw new Error("disk full");
  });
  parts.add(() => Promise.resolve(stopped.push("third")));
  await expect(parts.stop()).rejects.toThrow("disk full");
  expect(stopped).toEqual(["third", "second", "first"]);
  await parts.stop();
  expect(stopped).toHaveLength(3);
});
