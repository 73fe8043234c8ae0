import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jobId } from "../base/ids.ts";
import type { ChannelFrame } from "../rpc/gen/trainyard/v1/ChannelFrame.ts";
import { until } from "../rpc/fixture.ts";
import { openTerminal } from "./attach.ts";
import { Channels, type ChannelTasks } from "./channels.ts";
import { findMarked } from "./proc.ts";
import { TaskFolder } from "./task-folder.ts";

const KEY = { jobId: jobId("job-1"), attempt: 1, rank: 0 };
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

let stateDir: string;
let folder: TaskFolder;
let stream: ReturnType<typeof fakeStream>;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "ty-channels-"));
  folder = new TaskFolder(stateDir, KEY);
  folder.make();
  stream = fakeStream();
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

/** A stream to a scheduler; `write` is the test's. */
function fakeStream() {
  const frames: ChannelFrame[] = [];
  const duplex = new Duplex({ objectMode: true, read: () => undefined });
  const call = {
    write: (frame: ChannelFrame): boolean => frames.push(frame) > 0,
    cancel: () => undefined,
    getPeer: () => "",
    getAuthContext: () => null,
    serialize: () => Buffer.alloc(0),
    deserialize: () => {
      throw new Error("not in this test");
    },
  };
  return Object.assign(duplex, call, { frames });
}

function open(change: { logs?: object; attach?: object }): void {
  const tasks: ChannelTasks = {
    folderOf: () => folder,
    terminalPlace: () => ({ env: { PATH: "/usr/bin:/bin", TY_TEST: stateDir }, cwd: "/" }),
    isOver: () => false,
  };
  const scheduler = {
    connect: () => {
      throw new Error("not in this test");
    },
    channel: () => stream,
  };
  const channels = new Channels({ node: "node-1", scheduler, tasks, log: LOG });
  const logs = change.logs === undefined ? null : { ...KEY, tailLines: 0, follow: true };
  const attach =
    change.attach === undefined ? null : { ...KEY, argv: ["sleep", "623"], size: null };
  channels.open({ channelId: "1", logs, attach });
}

const isHeld = (path: string): boolean =>
  readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false; // The descriptor that lists this folder.
    }
  });

test("a log reader whose connection breaks under a write leaves no file open", async () => {
  writeFileSync(folder.file("stdout"), Buffer.alloc(1_000_000, "x"));
  stream.write = (frame) => {
    if (!frame.log) return true;
    stream.emit("close");
    return false;
  };
  open({ logs: {} });
  await until(() => stream.writableEnded, "the end of the channel");
  expect(isHeld(folder.file("stdout"))).toBe(false);
});

test("a user who has gone before the terminal was open leaves no process", async () => {
  open({ attach: {} });
  stream.emit("close");
  await until(() => stream.writableEnded, "the end of the channel");
  // It is started all the same, a moment later: before one that is opened now.
  const options = { argv: ["true"], cwd: "/", env: {}, columns: 80, rows: 24 };
  await new Promise<number>((ended, fail) => {
    openTerminal(options, { output: () => undefined, ended }).catch(fail);
  });
  const left = (): readonly number[] => findMarked("TY_TEST", stateDir);
  await until(() => left().length === 0, "the terminal's end");
  expect(left()).toEqual([]);
});

test("a reader that is slow is waited for, and gets all in order", async () => {
  writeFileSync(folder.file("stdout"), Buffer.alloc(300_000, "x"));
  let bytes = 0;
  stream.write = (frame) => {
    bytes += frame.log?.data?.length ?? 0;
    setImmediate(() => stream.emit("drain"));
    return false;
  };
  open({ logs: {} });
  await until(() => bytes === 300_000, "all of the log");
  expect(stream.listenerCount("drain")).toBe(0);
  stream.emit("close");
  await until(() => stream.writableEnded, "the end of the channel");
});
