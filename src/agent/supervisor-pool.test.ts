import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SupervisorPool } from "./supervisor-pool.ts";

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "ty-pool-"));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const ORDER = {
  root: "/",
  argv: ["true"],
  cwd: "/",
  env: {},
  leaseFile: "/",
  cgroup: null,
  memoryMib: 0,
  isTorchrun: false,
};

// An "error" event without a listener would end the agent, and this test run.
test("a supervisor that cannot be started fails the launch, and not the agent", async () => {
  const command = ["/nonexistent/node"];
  const pool = new SupervisorPool({ stateDir, cgroupParent: null, command });
  pool.warm();
  await new Promise((resolve) => setImmediate(resolve));
  await expect(pool.launch(ORDER)).rejects.toThrow("ENOENT");
  pool.stop();
});

test("a supervisor that says something else than an answer fails the launch", async () => {
  const command = ["/bin/sh", "-c", "echo a warning; cat >/dev/null"];
  const pool = new SupervisorPool({ stateDir, cgroupParent: null, command });
  await expect(pool.launch(ORDER)).rejects.toThrow("JSON");
  pool.stop();
});
