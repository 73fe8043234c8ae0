import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Fault } from "../base/errors.ts";
import { digestOf } from "../objects/digest.ts";
import { blobKey } from "./core/keys.ts";
import { idOf, JOB, listing, until, World, zipOf } from "../../test/e2e/checkpoint-world.ts";

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(async () => {
  await world.close();
});

const weights = (sizeBytes = 1000): Buffer => zipOf(randomBytes(sizeBytes));

describe("a watch", () => {
  test("stores what is complete, and says when it was written and how large it is", async () => {
    world.watch();
    const path = await world.write("step-10.pt", weights(5000));
    await utimes(path, 1_700_000_000, 1_700_000_000);
    const part = await world.stored(10);
    expect(part).toMatchObject({
      step: 10,
      takenAtMs: 1_700_000_000_000,
      sizeBytes: 5026,
      uploadedBytes: 5026,
    });
    const ref = await world.commit(10);
    const { destDir } = await world.restore(ref);
    expect(await readFile(join(destDir, "step-10.pt"))).toEqual(await readFile(path));
  });

  test("finds a folder that is made later, and files in new folders", async () => {
    world.watch();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await world.write("a/b/step-7/model.pt", weights());
    expect((await world.stored(7)).step).toBe(7);
  });

  test("does not take a file that a process has open for writing, whole as it looks", async () => {
    let pids = [process.pid];
    world.watch({ pids: () => pids });
    const path = await world.write("step-10.pt", weights());
    const writer = await open(path, "r+");
    await world.write("step-9.pt", weights());
    await world.stored(9);
    expect(world.steps()).toEqual([9]);
    const reader = await open(path, "r");
    await writer.close();
    await world.stored(10);
    await reader.close();
    pids = [];
  });

  test("does not take a torn file, neither while it waits nor at the end", async () => {
    const watch = world.watch();
    const whole = weights(3000);
    await world.write("step-10.pt", whole.subarray(0, 2000));
    await world.write("step-9.pt", weights());
    await world.stored(9);
    await watch.flush(10_000);
    expect(world.steps()).toEqual([9]);
  });

  test("takes it once it is written to the end", async () => {
    world.watch();
    const whole = weights(3000);
    const path = await world.write("step-10.pt", whole.subarray(0, 2000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(world.steps()).toEqual([]);
    const file = await open(path, "a");
    await file.write(whole.subarray(2000));
    await file.close();
    expect((await world.stored(10)).sizeBytes).toBe(whole.length);
  });

  test("counts checkpoints that overwrite one name, each as it was", async () => {
    world.watch();
    const first = weights(2000);
    await world.write("latest.pt", first);
    await world.stored(1);
    const ref = await world.commit(1);
    await world.write("latest.pt", weights(3000));
    expect((await world.stored(2)).sizeBytes).toBe(3026);
    const { destDir } = await world.restore(ref);
    expect(await readFile(join(destDir, "latest.pt"))).toEqual(first);
  });

  test("counts on above the checkpoint that the job resumed from", async () => {
    const digest = (await firstPart()).digest;
    world.committed = { checkpointId: idOf(40), step: 40, manifestDigest: digest };
    world.watch({ attempt: 2 });
    await world.write("latest.pt", weights());
    expect((await world.stored(41)).step).toBe(41);
  });

  async function firstPart() {
    const watch = world.watch();
    await world.write("step-1.pt", weights());
    const part = await world.stored(1);
    await watch.stop({ isOver: false });
    await rm(join(world.dir(), "step-1.pt"));
    return part;
  }

  test("leaves alone what is not newer than the newest committed checkpoint", async () => {
    world.committed = {
      checkpointId: idOf(20),
      step: 20,
      manifestDigest: (await firstPart()).digest,
    };
    const watch = world.watch({ attempt: 2 });
    await world.write("step-20.pt", weights());
    await world.write("step-19.pt", weights());
    await watch.flush(10_000);
    expect(world.steps()).toEqual([1]);
  });

  test("sends only files that changed, and asks the store whether it has the others", async () => {
    world.watch();
    const base = weights(50_000);
    await world.write("step-1/base.pt", base);
    await world.write("step-1/adapter.pt", weights(100));
    await world.stored(1);
    await world.commit(1);
    await world.write("step-2/base.pt", base);
    await world.write("step-2/adapter.pt", weights(100));
    const part = await world.stored(2);
    expect(part).toMatchObject({ sizeBytes: 50_026 + 126, uploadedBytes: 126 });
    await world.store.delete([blobKey(JOB, digestOf(base))]);
    await world.write("step-3/base.pt", base);
    expect((await world.stored(3)).uploadedBytes).toBe(50_026);
  });

  test("keeps the bytes when the trainer deletes or renames them during the upload", async () => {
    let isReached = false;
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.store.before = async (method) => {
      if (method !== "putFile") return;
      isReached = true;
      await gate;
    };
    world.watch();
    const bytes = weights(4000);
    await world.write("step-10/a.pt", bytes);
    await world.write("step-10/b.pt", weights(4000));
    await until(() => isReached, "the upload to begin");
    await rm(join(world.dir(), "step-10/a.pt"));
    await rename(join(world.dir(), "step-10/b.pt"), join(world.dir(), "step-10/c.txt"));
    release();
    await world.stored(10);
    const { destDir } = await world.restore(await world.commit(10));
    expect(await readFile(join(destDir, "step-10/a.pt"))).toEqual(bytes);
  });

  test("drops a checkpoint that is rewritten in place during the upload, and takes the new one", async () => {
    let rewrites = 0;
    const newer = weights(4000);
    world.store.before = async (method) => {
      if (method !== "putFile" || rewrites > 0) return;
      rewrites += 1;
      await world.write("step-10.pt", newer);
    };
    world.watch();
    await world.write("step-10.pt", weights(4000));
    await world.stored(10);
    expect(rewrites).toBe(1);
    const { destDir } = await world.restore(await world.commit(10));
    expect(await readFile(join(destDir, "step-10.pt"))).toEqual(newer);
  });

  test("stores a name that is overwritten during the upload as it was, and then as it is", async () => {
    let rewrites = 0;
    const newer = weights(3000);
    world.store.before = async (method) => {
      if (method !== "putFile" || rewrites > 0) return;
      rewrites += 1;
      await world.write("latest.pt", newer);
    };
    world.watch();
    const older = weights(4000);
    await world.write("latest.pt", older);
    await world.stored(1);
    const { destDir } = await world.restore(await world.commit(1));
    expect(await readFile(join(destDir, "latest.pt"))).toEqual(older);
    expect((await world.stored(2)).sizeBytes).toBe(newer.length);
  });

  test("skips older ones that wait when a newer one is complete", async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.store.before = async (method) => {
      if (method === "putFile") await gate;
    };
    world.watch();
    await world.write("step-1.pt", weights());
    await until(() => world.store.calls.putFile.length > 0, "the first upload");
    for (const step of [2, 3, 4]) await world.write(`step-${step}.pt`, weights());
    await until(() => isStaged(), "step 4 to be secured");
    release();
    await world.stored(4);
    expect(world.steps()).toEqual([1, 4]);
  });

  const isStaged = async (): Promise<boolean> => {
    const staged = await listing(join(world.root, "rank-0", ".checkpoints.staging")).catch(
      () => ({}),
    );
    return Object.keys(staged).filter((path) => path.startsWith("files/")).length >= 2;
  };

  test("waits out a store that is away, and the newest complete one goes first then", async () => {
    world.store.isAway = true;
    world.watch();
    await world.write("step-1.pt", weights());
    await until(() => world.store.calls.putFile.length >= 2, "two tries");
    const newer = weights();
    await world.write("step-2.pt", newer);
    const key = blobKey(JOB, digestOf(newer));
    await until(() => world.store.calls.putFile.includes(key), "step 2 to take its place");
    world.store.isAway = false;
    await world.stored(2);
    expect(world.steps()).toEqual([2]);
    expect(world.warnings).toContain("checkpoint of step 1 waits for the store");
  });

  test("a flush takes at once what the end of the processes left, and ends", async () => {
    const watch = world.watch({ quiet: { withEvidenceMs: 60_000, withoutMs: 60_000 } });
    await world.write("step-1.pt", weights());
    await world.write("step-2.pt", weights());
    await watch.flush(30_000);
    expect(world.steps()).toEqual([2]);
    await watch.stop({ isOver: false });
  });

  test("a flush gives up in time when the store is away", async () => {
    const watch = world.watch();
    world.store.isAway = true;
    await world.write("step-1.pt", weights());
    const beganMs = performance.now();
    await watch.flush(300);
    expect(performance.now() - beganMs).toBeLessThan(5_000);
    expect(world.steps()).toEqual([]);
  });

  test("a restarted agent reports what is stored without sending it again", async () => {
    const first = world.watch();
    await world.write("step-1.pt", weights());
    const part = await world.stored(1);
    await first.stop({ isOver: false });
    const sent = world.store.calls.putFile.length;
    const second = world.watch();
    await until(() => world.steps().length === 2, "the second report");
    await second.flush(10_000);
    expect(world.partsOf(0)).toEqual([part, part]);
    expect(world.store.calls.putFile).toHaveLength(sent);
  });

  test("a restarted agent goes on with an upload; what no checkpoint needs is dropped", async () => {
    let isHeld = true;
    world.store.before = async (method) => {
      if (method === "putFile" && isHeld) throw new Fault("STORE_UNAVAILABLE", "it is away");
    };
    const first = world.watch();
    await world.write("step-1.pt", weights());
    await until(() => world.store.notes.asked.length > 0, "a try");
    const note = world.store.notes.asked[0] ?? "";
    // As the store would do.
    await mkdir(dirname(note), { recursive: true });
    await writeFile(note, "");
    await first.stop({ isOver: false });
    expect(world.store.notes.dropped).toEqual([]);
    isHeld = false;
    world.watch();
    await world.stored(1);
    expect(world.store.notes.asked.at(-1)).toBe(note);
    await until(() => world.store.notes.dropped.length > 0, "the note to be dropped");
    expect(world.store.notes.dropped).toEqual([note]);
  });

  test.each(["flush", "stop"])(
    "a task that is over drops what it could not finish: %s",
    async (how) => {
      world.store.before = async (method) => {
        if (method === "putFile") throw new Fault("STORE_UNAVAILABLE", "it is away");
      };
      const watch = world.watch();
      await world.write("step-1.pt", weights());
      await until(() => world.store.notes.asked.length > 0, "a try");
      const note = world.store.notes.asked[0] ?? "";
      await mkdir(dirname(note), { recursive: true });
      await writeFile(note, "");
      await (how === "flush" ? watch.flush(100) : watch.stop({ isOver: true }));
      expect(world.store.notes.dropped).toEqual([note]);
    },
  );

  test("a new attempt does not inherit the reports of the one before", async () => {
    const first = world.watch();
    await world.write("step-1.pt", weights());
    await world.stored(1);
    await first.stop({ isOver: false });
    world.partsOf(0).length = 0;
    const second = world.watch({ attempt: 2 });
    await second.flush(10_000);
    expect(world.steps()).toEqual([1]);
    await world.commit(1, 2);
  });

  test("leaves no staged file behind", async () => {
    const watch = world.watch();
    await world.write("step-1.pt", weights());
    await world.stored(1);
    await watch.stop({ isOver: false });
    const staging = join(world.root, "rank-0", ".checkpoints.staging");
    expect(Object.keys(await listing(staging))).toEqual(["state.json"]);
  });

  test("a store that refuses for good does not stop later checkpoints", async () => {
    let refusals = 1;
    world.store.before = async (method) => {
      if (method !== "putFile" || refusals === 0) return;
      refusals -= 1;
      throw new Fault("STORE_UNAVAILABLE", "no right to write", { isRetryable: false });
    };
    world.watch();
    await world.write("step-1.pt", weights());
    await until(() => world.warnings.length > 0, "the warning");
    await world.write("step-2.pt", weights());
    await world.stored(2);
    expect(world.steps()).toEqual([2]);
  });
});
