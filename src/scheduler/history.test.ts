import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createState } from "./core/apply.ts";
import type { LoggedEvent } from "./core/events.ts";
import { World } from "./core/fixture.ts";
import { encodeState } from "./core/snapshot.ts";
import { openHistory } from "./history.ts";
import { openSchedulerStore } from "./loop-store.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "trainyard-history-"));
});
afterEach(() => rm(folder, { recursive: true }));

function someWorld(): World {
  const world = new World().nodes(2, 2);
  world.submit({ gpus: 2, nodes: 2 });
  world.plan();
  return world.run();
}

async function read(path: string) {
  const history = await openHistory(path);
  const events: LoggedEvent[] = [];
  for await (const event of history.events) events.push(event);
  await history.close();
  return { state: history.state, events };
}

const open = () => openSchedulerStore({ folder: join(folder, "log"), onWarning: () => undefined });

describe("the history in a data folder", () => {
  it("is every event from the first on, also while a scheduler has the folder", async () => {
    const { log } = someWorld();
    const store = await open();
    await store.log.append(log);
    expect(await read(folder)).toEqual({ state: createState(), events: log });
    expect(await read(join(folder, "log"))).toMatchObject({ events: log });
    await store.close();
  });

  it("begins with the oldest snapshot when older events were trimmed", async () => {
    const { log, state } = someWorld();
    const store = await open();
    await store.log.append(log);
    await store.snapshots.write({ seq: state.seq, atMs: state.atMs }, encodeState(state));
    const more: LoggedEvent = {
      seq: state.seq + 1,
      atMs: state.atMs,
      actor: "scheduler",
      request: null,
      event: { kind: "request.noted" },
    };
    await store.log.append([more]);
    await store.log.trimBefore(state.seq + 1);
    await store.close();
    expect(await read(folder)).toEqual({ state, events: [more] });
  });
});

describe("the history in a file", () => {
  it("is one event a line", async () => {
    const { log } = someWorld();
    const path = join(folder, "log.jsonl");
    await writeFile(path, log.map((event) => `${JSON.stringify(event)}\n`).join(""));
    expect(await read(path)).toEqual({ state: createState(), events: log });
  });

  it("that is something else is refused with the line", async () => {
    const path = join(folder, "log.jsonl");
    await writeFile(path, '{"seq":1}\n');
    await expect(read(path)).rejects.toThrow(`${path}:1: it has no time.`);
  });
});

it("a folder without a log is refused, and nothing is made in it", async () => {
  await expect(openHistory(folder)).rejects.toThrow("is no data folder of trainyard");
});

it("a path that is not there is refused", async () => {
  await expect(openHistory(join(folder, "x"))).rejects.toThrow("x can't be read");
});
