import { expect, test } from "vitest";
import { diskFullCondition, isDiskFull } from "./disk.ts";

const LIMITS = { minBytes: 100, enoughBytes: 200 };

test("a disk is full below one threshold and no longer from another, higher one", () => {
  const course = [150, 99, 100, 199, 200, 150, 99];
  let isFull = false;
  const seen = course.map((freeBytes) => (isFull = isDiskFull(isFull, freeBytes, LIMITS)));
  expect(seen).toEqual([false, true, true, true, false, false, true]);
});

test("the condition tells what is free, where, and from when on all is well", () => {
  const limits = { minBytes: 2 ** 29, enoughBytes: 2 ** 30 };
  expect(diskFullCondition("/var/lib/trainyard", 412 * 2 ** 20, limits)).toEqual({
    kind: "disk_full",
    message: "412 MiB free for /var/lib/trainyard; new tasks from 1024 MiB",
  });
});
