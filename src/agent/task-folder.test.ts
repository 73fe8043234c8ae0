import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { desiredTask } from "./core/fixture.ts";
import { TaskFolder } from "./task-folder.ts";

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "ty-folder-"));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const RENDEZVOUS = { host: "10.0.0.1", port: 4711 };

test("a restarted agent finds the rendezvous that was saved beside the record", () => {
  const task = desiredTask();
  const folder = new TaskFolder(stateDir, task);
  folder.make();
  const record = { task, rendezvous: null, exit: null, isForgotten: false, isShipped: false };
  folder.save(record);
  expect(folder.load()?.rendezvous).toBeNull();
  folder.saveRendezvous(RENDEZVOUS);
  expect(new TaskFolder(stateDir, task).load()).toMatchObject({ rendezvous: RENDEZVOUS });
});
