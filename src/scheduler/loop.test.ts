import { expect, test } from "vitest";
import {
  accept,
  digestOf,
  envelope,
  furnish,
  Hands,
  openLoop,
  running,
  submit,
  until,
  withLoop,
} from "../../test/crash/loop-fixtures.ts";
import { withFolder } from "../../test/crash/store-fixtures.ts";
import { Fault } from "../base/errors.ts";
import { jobId, nodeId } from "../base/ids.ts";
import { HOUR_MS } from "../base/time.ts";
import { jobSpec } from "./core/fixture.ts";

test("what a command did is on disk when its reply comes, and in the state after a restart", async () => {
  await withFolder(async (folder) => {
    const before = await withLoop({ folder }, async ({ loop, store }) => {
      await furnish(loop, 1);
      const reply = await loop.execute(envelope(submit("a"), "r1"));
      expect(reply).toEqual({ kind: "accepted", jobId: "job-1", isRepeat: false });
      expect(store.log.get(store.log.lastSeq).event.kind).toBe("job.submitted");
      await until(() => loop.state().jobs.get(jobId("job-1"))?.phase.kind === "placed", "a plan");
      await loop.stop();
      return digestOf(loop.state());
    });
    await withLoop({ folder }, async ({ loop }) => {
      expect(digestOf(loop.state())).toBe(before);
      const again = await loop.execute(envelope(submit("a"), "r1"));
      expect(again).toEqual({ kind: "accepted", jobId: "job-1", isRepeat: true });
    });
  });
});

test("commands that come together share commits, half of them each while there are many", async () => {
  await withFolder((folder) =>
    withLoop({ folder, limits: { batchMax: 50 } }, async ({ loop, batches }) => {
      await furnish(loop, 0);
      batches.length = 0;
      const names = Array.from({ length: 120 }, (_, at) => `j${at}`);
      const replies = await Promise.all(names.map((name) => accept(loop, submit(name))));
      expect(new Set(replies.map((reply) => reply.jobId)).size).toBe(120);
      expect(batches.map((batch) => batch.commands)).toEqual([50, 35, 32, 3]);
    }),
  );
});

test("while answers go out, the disk has the next batch already", async () => {
  await withFolder(async (folder) => {
    const order: string[] = [];
    const wrap: NonNullable<Parameters<typeof openLoop>[0]["wrap"]> = ({ log, snapshots }) => ({
      snapshots,
      log: {
        firstSeq: log.firstSeq,
        lastSeq: log.lastSeq,
        readPage: (seq) => log.readPage(seq),
        trimBefore: (seq) => log.trimBefore(seq),
        append: async (rows) => {
          order.push("append");
          await log.append(rows);
          order.push("written");
        },
      },
    });
    const { loop, store } = await openLoop({ folder, wrap });
    await loop.start();
    await furnish(loop, 1);
    order.length = 0;
    // Nothing that is planned: a pass would come in between.
    const command = { kind: "node.uncordon", nodeId: nodeId("node-1") } as const;
    const replies = Array.from({ length: 40 }, (_, at) =>
      loop.execute(envelope(command, `r${at}`)).then(() => order.push("reply")),
    );
    await Promise.all(replies);
    expect(order.slice(0, 4)).toEqual(["append", "written", "append", "reply"]);
    expect(order.indexOf("written", 4)).toBeGreaterThan(0);
    await loop.stop();
    await store.close();
  });
});

test("a submission is answered before the plan is made, and planned without another command", async () => {
  await withFolder((folder) =>
    withLoop({ folder }, async ({ loop, published }) => {
      await furnish(loop, 1);
      published.length = 0;
      const order: string[] = [];
      loop.onCommitted((events) => order.push(...events.map((logged) => logged.event.kind)));
      await accept(loop, submit("a", 8)).then(() => order.push("reply"));
      await until(() => published.length === 2, "the placement");
      expect(order).toEqual(["job.submitted", "reply", "job.placed"]);
      expect(published.map((logged) => logged.seq)).toEqual([4, 5]);
    }),
  );
});

test("a batch of refusals is answered without a commit", async () => {
  await withFolder((folder) =>
    withLoop({ folder }, async ({ loop, store, batches }) => {
      const seq = store.log.lastSeq;
      const cancel = { kind: "job.cancel", jobId: jobId("job-9"), why: "" } as const;
      expect(await loop.execute(envelope(cancel))).toMatchObject({ code: "JOB_NOT_FOUND" });
      await until(() => batches.at(-1)?.refusals === 1, "the report");
      expect(batches.at(-1)).toMatchObject({ commands: 1, refusals: 1, events: 0 });
      expect(store.log.lastSeq).toBe(seq);
    }),
  );
});

test("commands beyond the queue's limit are refused at once, the others are answered", async () => {
  await withFolder((folder) =>
    withLoop({ folder, limits: { queueMax: 5 } }, async ({ loop }) => {
      await furnish(loop, 0);
      const replies = await Promise.all(
        Array.from({ length: 8 }, (_, at) => loop.execute(envelope(submit(`j${at}`)))),
      );
      const refused = replies.filter((reply) => reply.kind === "refusal");
      expect(refused).toHaveLength(3);
      expect(refused[0]).toMatchObject({
        code: "TOO_MANY_REQUESTS",
        message: "5 commands are waiting already.",
      });
      expect(loop.state().jobs.size).toBe(5);
    }),
  );
});

test("when the log cannot be written nobody gets a reply and the process is to end", async () => {
  await withFolder(async (folder) => {
    let isBroken = false;
    const wrap: NonNullable<Parameters<typeof openLoop>[0]["wrap"]> = (store) => ({
      snapshots: store.snapshots,
      log: {
        firstSeq: 0,
        lastSeq: 0,
        readPage: (seq) => store.log.readPage(seq),
        trimBefore: (seq) => store.log.trimBefore(seq),
        append: (rows) =>
          isBroken
            ? Promise.reject(new Fault("DATA_NOT_WRITTEN", "the disk is full"))
            : store.log.append(rows),
      },
    });
    const { loop, store, fatal, published } = await openLoop({ folder, wrap });
    await loop.start();
    await furnish(loop, 0);
    published.length = 0;
    isBroken = true;
    let replies = 0;
    for (const name of ["a", "b"]) void accept(loop, submit(name)).then(() => (replies += 1));
    await until(() => fatal.length > 0, "the end");
    expect(fatal).toEqual([expect.objectContaining({ message: "the disk is full" })]);
    expect(await loop.execute(envelope(submit("c")))).toMatchObject({ code: "SHUTTING_DOWN" });
    expect([replies, published.length]).toEqual([0, 0]);
    await loop.stop();
    await store.close();
  });
});

test("why a job waits is known after the pass that saw it, and EVALUATING before", async () => {
  await withFolder((folder) =>
    withLoop({ folder }, async ({ loop }) => {
      await furnish(loop, 1);
      expect(loop.hold(jobId("job-1"))).toEqual({ code: "EVALUATING" });
      await accept(loop, submit("large", 16));
      await until(() => loop.hold(jobId("job-1")).code !== "EVALUATING", "a plan");
      expect(loop.hold(jobId("job-1")).code).toBe("EXCEEDS_CLUSTER");
    }),
  );
});

test("what a pass found is told until something happens but that others come to wait", async () => {
  await withFolder((folder) =>
    withLoop({ folder }, async ({ loop }) => {
      await furnish(loop, 1);
      await accept(loop, submit("large", 16));
      await until(() => loop.hold(jobId("job-1")).code !== "EVALUATING", "a plan");
      const found = (): number | null => loop.leftovers()?.findings()?.seq ?? null;
      const before = found();
      expect(before).toBeGreaterThan(0);
      const after = new Map<string, number | null>();
      loop.onCommitted((events) => {
        for (const { event } of events) after.set(event.kind, found());
      });
      await accept(loop, submit("larger", 17));
      await until(() => loop.hold(jobId("job-2")).code !== "EVALUATING", "a plan");
      await accept(loop, { kind: "job.cancel", jobId: jobId("job-1"), why: "" });
      expect(Object.fromEntries(after)).toEqual({ "job.submitted": before, "job.ended": null });
    }),
  );
});

test("when the instant comes that the plan asked for, time limits are looked at", async () => {
  await withFolder((folder) =>
    withLoop({ folder }, async ({ loop, hands, published }) => {
      await furnish(loop, 1);
      await accept(loop, { kind: "job.submit", spec: jobSpec({ timeLimitMs: HOUR_MS }) });
      await until(() => published.at(-1)?.event.kind === "job.placed", "the placement");
      hands.pass(1_000);
      await accept(loop, running("job-1", loop.state().seq));
      await until(() => hands.waiting > 0, "the alarm");
      hands.pass(HOUR_MS - 1_000);
      await until(() => hands.waiting > 0, "the alarm again");
      expect(loop.state().jobs.get(jobId("job-1"))?.phase.kind).toBe("running");
      hands.pass(2_000);
      await until(() => published.at(-1)?.event.kind === "job.stopping", "the stop");
    }),
  );
});

test("events are never dated before those in the log, though the wall clock goes back", async () => {
  await withFolder(async (folder) => {
    const hands = new Hands();
    await withLoop({ folder, hands }, ({ loop }) => furnish(loop, 1));
    hands.wallMs -= 10 * HOUR_MS;
    await withLoop({ folder, hands }, async ({ loop, store, lines }) => {
      await accept(loop, submit("a"));
      const times = [...store.log.read(1)].map((row) => row.atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(lines.join("")).toContain("The wall clock jumped, or disagrees with the log");
      expect(loop.stats().clockSkewMs).toBeLessThan(-9 * HOUR_MS);
    });
  });
});

test("a listener that throws takes nothing from the others", async () => {
  await withFolder(async (folder) => {
    const { loop, store, published, lines } = await openLoop({ folder });
    const end = loop.onCommitted(() => {
      throw new Error("broken listener");
    });
    const seen: number[] = [];
    loop.onCommitted((events) => void seen.push(events.length));
    await loop.start();
    await furnish(loop, 0);
    expect(seen).toHaveLength(2);
    expect(lines.join("")).toContain("broken listener");
    end();
    lines.length = 0;
    await accept(loop, submit("a"));
    expect(seen).toHaveLength(3);
    expect(published).toHaveLength(3);
    expect(lines.join("")).not.toContain("broken listener");
    await loop.stop();
    await store.close();
  });
});

test("stopping answers what waits, refuses what comes, and leaves a snapshot and no timer", async () => {
  await withFolder(async (folder) => {
    const { loop, store, hands } = await openLoop({ folder });
    await loop.start();
    await furnish(loop, 1);
    const waiting = accept(loop, { kind: "job.submit", spec: jobSpec({ timeLimitMs: HOUR_MS }) });
    const stopping = loop.stop();
    expect(await loop.execute(envelope(submit("b")))).toMatchObject({ code: "SHUTTING_DOWN" });
    expect((await waiting).jobId).toBe("job-1");
    await stopping;
    expect(hands.waiting).toBe(0);
    expect(store.snapshots.seqs()).toEqual([store.log.lastSeq]);
    await store.close();
  });
});

test("snapshots come every so many events, and what they cover is trimmed beyond what is kept", async () => {
  await withFolder(async (folder) => {
    const limits = { snapshotEveryEvents: 40, eventsKeptMax: 20 };
    const before = await withLoop({ folder, limits }, async ({ loop, store }) => {
      await furnish(loop, 0);
      for (let at = 0; at < 200; at += 1) await accept(loop, submit(`j${at}`));
      await until(() => store.log.firstSeq > 1, "the trimming");
      await until(() => store.snapshots.seqs().length === 2, "the end of the oldest snapshot");
      await loop.stop();
      expect(store.log.firstSeq).toBeLessThanOrEqual((store.snapshots.seqs()[0] ?? 0) + 1);
      return digestOf(loop.state());
    });
    await withLoop({ folder, limits }, async ({ loop, lines }) => {
      expect(digestOf(loop.state())).toBe(before);
      expect(lines.join("")).toContain('"eventCount":0');
    });
  });
});

test("a log that was trimmed past every usable snapshot is refused with what to do", async () => {
  await withFolder(async (folder) => {
    await withLoop({ folder }, async ({ loop, store }) => {
      await furnish(loop, 3);
      await store.log.trimBefore(3);
    });
    const { loop, store } = await openLoop({
      folder,
      wrap: ({ log, snapshots }) => ({
        log,
        snapshots: {
          load: () => null,
          seqs: () => [],
          write: (at, rows) => snapshots.write(at, rows),
        },
      }),
    });
    await expect(loop.start()).rejects.toThrow(
      "The event log starts at 3, since older events were trimmed, and no usable snapshot",
    );
    await store.close();
  });
});
