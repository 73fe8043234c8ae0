import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runAgent } from "./wire-agent.ts";

test("an agent that is stopped before its scheduler was ever there ends at once", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "ty-wire-agent-"));
  const stopper = new AbortController();
  const options = {
    scheduler: "127.0.0.1:1",
    name: "node-1",
    stateDir,
    virtualGpus: 1,
    diskFreeMin: 0,
    diskFreeEnough: 0,
    advertiseAddress: null,
    python: "python3",
    labels: {},
    spot: false,
    metricsListen: null,
    tls: false,
    ca: null,
    insecure: true,
    logLevel: "silent",
  } as const;
  const running = runAgent(options, stopper.signal);
  setImmediate(() => stopper.abort());
  expect(await running).toBe(0);
  expect(readdirSync(stateDir)).toEqual([]); // No agent was started under a made-up address.
  rmSync(stateDir, { recursive: true });
});
