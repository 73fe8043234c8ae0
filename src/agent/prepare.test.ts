import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Fault, refuse, RefusalError } from "../base/errors.ts";
import { checkpointId, digest } from "../base/ids.ts";
import type { DesiredTask } from "../scheduler/core/desired.ts";
import { desiredTask, SPEC } from "./core/fixture.ts";
import type { BundleStore, Checkpoints } from "./ports.ts";
import { prepare, type PrepareContext } from "./prepare.ts";
import { TaskFolder } from "./task-folder.ts";

const BUNDLE = { digest: digest("ab".repeat(32)), sizeBytes: 1, commit: "", isDirty: false };
const RESUME = { checkpointId: checkpointId("job-1/7-1"), step: 7, manifestDigest: digest("d") };

let stateDir: string;
let stopper: AbortController;
let fetches: number;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "ty-prepare-"));
  stopper = new AbortController();
  fetches = 0;
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const bundles: BundleStore = {
  fetch: (_digest, destDir) => {
    fetches += 1;
    writeFileSync(join(destDir, "train.py"), "print(1)");
    return Promise.resolve();
  },
};
const checkpoints: Checkpoints = { restore: () => Promise.resolve() };
const coded = (change: Partial<DesiredTask> = {}) =>
  desiredTask({ spec: { ...SPEC, bundle: BUNDLE }, ...change });

function run(task: DesiredTask, change: Partial<PrepareContext> = {}) {
  const folder = new TaskFolder(stateDir, task);
  const base = { stateDir, bundles, checkpoints, env: () => ({ PATH: "/usr/bin:/bin" }) };
  const context = { ...base, signal: stopper.signal, newId: () => "1", begin: () => undefined };
  return prepare(task, folder, { ...context, ...change }).then((exit) => ({ exit, folder }));
}

test("a bundle is fetched once, and each attempt has a copy of its own", async () => {
  const first = await run(coded());
  writeFileSync(join(first.folder.work, "train.py"), "changed");
  const second = await run(coded({ attempt: 2 }));
  expect([first.exit, second.exit, fetches]).toEqual([null, null, 1]);
  expect(readFileSync(join(second.folder.work, "train.py"), "utf8")).toBe("print(1)");
});

test("a bundle that does not arrive whole leaves nothing that a later attempt would take", async () => {
  const broken: BundleStore = {
    fetch: (id, destDir) => {
      writeFileSync(join(destDir, "half"), "");
      return Promise.reject(new RefusalError(refuse("STORE_CORRUPT", `bundle ${id}`, "Again.")));
    },
  };
  const { exit } = await run(coded(), { bundles: broken });
  expect(exit).toMatchObject({ reason: "prepare_failed", code: -1 });
  const later = await run(coded({ attempt: 2 }));
  expect(later.exit).toBeNull();
  expect(existsSync(join(later.folder.work, "half"))).toBe(false);
});

test("a store that is away is waited for", async () => {
  let isAway = true;
  const flaky: BundleStore = {
    fetch: (id, destDir) => {
      if (!isAway) return bundles.fetch(id, destDir);
      isAway = false;
      return Promise.reject(new Fault("STORE_UNAVAILABLE", "away"));
    },
  };
  expect((await run(coded(), { bundles: flaky })).exit).toBeNull();
});

test("a checkpoint that is known to be bad is told apart from one that cannot be had now", async () => {
  const task = coded({ resume: RESUME });
  const bad: Checkpoints = {
    restore: () => Promise.reject(new RefusalError(refuse("STORE_CORRUPT", "hash differs", ""))),
  };
  const { exit } = await run(task, { checkpoints: bad });
  expect(exit?.reason).toBe("restore_failed");
  expect(exit?.message).toContain("job-1/7-1");
  const broken: Checkpoints = { restore: () => Promise.reject(new Error("socket hang up")) };
  expect((await run(task, { checkpoints: broken })).exit?.reason).toBe("lost");
});

test("a disk without space is told as that, with the folder", async () => {
  const full: BundleStore = {
    fetch: () => Promise.reject(Object.assign(new Error("write"), { code: "ENOSPC" })),
  };
  const { exit, folder } = await run(coded(), { bundles: full });
  expect(exit).toEqual({
    reason: "disk_full",
    code: -1,
    message: `no space left for ${folder.root}`,
  });
});

test("a kill breaks off the setup line with all that it started", async () => {
  const spec = { ...SPEC, bundle: BUNDLE, setup: "setsid sleep 621 & sleep 622" };
  const preparing = run(desiredTask({ spec }), {
    begin: () => setTimeout(() => stopper.abort(), 300),
  });
  expect((await preparing).exit?.reason).toBe("killed");
});

test("a script outside of the bundle is named, with what may be wrong", async () => {
  const { exit } = await run(desiredTask());
  expect(exit?.message).toBe("script train.py: it is not in the code bundle (is it git-ignored?)");
});

test("a task whose peer is killed while it fetches the code for both goes on by itself", async () => {
  let isAway = true;
  const flaky: BundleStore = {
    fetch: (id, destDir) =>
      isAway ? Promise.reject(new Fault("STORE_UNAVAILABLE", "away")) : bundles.fetch(id, destDir),
  };
  const killed = run(coded(), { bundles: flaky });
  const peer = run(coded({ rank: 1 }), { bundles: flaky, signal: new AbortController().signal });
  isAway = false;
  stopper.abort();
  expect((await killed).exit?.reason).toBe("killed");
  expect((await peer).exit).toBeNull();
});

test("a task that is killed does not wait for code that does not come", async () => {
  const hanging: BundleStore = { fetch: () => new Promise(() => undefined) };
  const task = coded({ spec: { ...SPEC, bundle: { ...BUNDLE, digest: digest("cd".repeat(32)) } } });
  const preparing = run(task, { bundles: hanging });
  stopper.abort();
  expect((await preparing).exit?.reason).toBe("killed");
});
