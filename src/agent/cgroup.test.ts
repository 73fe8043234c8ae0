// What is written to and read from a cgroup's files, on a folder that looks like one. The kernel's part
// is tried in test/e2e/agent-supervisor.test.ts where there is a memory controller.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { delegatedBy, limitMemory, outOfMemoryKills } from "./cgroup.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ty-cgroup-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the limit is what was asked for, above what was charged before", () => {
  writeFileSync(join(folder, "memory.current"), "45000000\n");
  expect(limitMemory(folder, 64_000_000)).toBe(true);
  expect(readFileSync(join(folder, "memory.max"), "utf8")).toBe("109000000");
});

test("where memory is not accounted there is no limit, and nobody was killed for it", () => {
  expect(limitMemory(folder, 64_000_000)).toBe(false);
  expect(outOfMemoryKills(folder)).toBe(0);
});

test("counts those killed, not those that came near", () => {
  writeFileSync(join(folder, "memory.events"), "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n");
  expect(outOfMemoryKills(folder)).toBe(2);
});

test.each([
  ["/sys/fs/cgroup/system.slice/trainyard-agent.service/agent", "trainyard-agent.service"],
  ["/sys/fs/cgroup/system.slice/trainyard-agent.service", "trainyard-agent.service"],
  ["/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope", "session-2.scope"],
  ["/sys/fs/cgroup", "cgroup"],
])("of %s it divides %s", (own, name) => {
  expect(delegatedBy(own).split("/").at(-1)).toBe(name);
});
