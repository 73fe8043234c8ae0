import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../rpc/fixture.ts";
import { DiskWatch } from "./disk-watch.ts";
import { desiredTask } from "./core/fixture.ts";
import type { LocalEvent } from "./core/local.ts";
import type { AgentPorts } from "./ports.ts";
import { SupervisorPool } from "./supervisor-pool.ts";
import { TaskFolder } from "./task-folder.ts";
import { type RunnerContext, TaskRunner } from "./task-runner.ts";

const unused = (): never => {
  throw new Error("not in this test");
};

let stateDir: string;
let events: LocalEvent[];
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "ty-runner-"));
  events = [];
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const PORTS: AgentPorts = {
  scheduler: { connect: unused, channel: unused },
  bundles: { fetch: unused },
  checkpoints: { restore: unused },
  checkpointWatch: { start: unused },
  metrics: { position: () => Promise.resolve(0), store: unused },
  onCluster: () => undefined,
  makeRoom: () => Promise.resolve(),
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  random: () => 0,
  newId: () => "1",
};

function makeRunner(): TaskRunner {
  const facts = {
    node: "node-1",
    address: "127.0.0.1",
    interfaceName: null,
    python: "python3",
    cpus: 1,
    inherited: {},
    gpuUuids: new Map(),
    mlflowTrackingUri: "",
  };
  const disk = new DiskWatch({
    folder: stateDir,
    limits: { minBytes: 0, enoughBytes: 0 },
    log: PORTS.log,
    onChange: () => undefined,
  });
  const context: RunnerContext = {
    disk,
    stateDir,
    leaseFile: join(stateDir, "lease.json"),
    facts: () => facts,
    pool: new SupervisorPool({ stateDir, cgroupParent: null, command: ["false"] }),
    ports: PORTS,
    emit: (event) => void events.push(event),
  };
  const task = desiredTask();
  const record = { task, rendezvous: null, exit: null, isForgotten: false, isShipped: false };
  return new TaskRunner(new TaskFolder(stateDir, task), record, context);
}

test("a task that never ran has nothing to ship, so that its folder may go one day", async () => {
  const runner = makeRunner();
  await runner.prepare();
  expect(events).toMatchObject([{ kind: "exited", exit: { reason: "prepare_failed" } }]);
  await until(() => runner.folder.load()?.isShipped === true, "the record");
});
