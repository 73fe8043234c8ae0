// The tracker is killed as by a power cut or the out-of-memory killer, again and again on the same
// folder: what was acknowledged is there, nothing is there twice, and nothing is torn.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { currentPoints, TrackerWorld } from "../property/tracker-world.ts";
import { pointAt, SOURCE } from "./tracker-stream.ts";

const CHILD = fileURLToPath(new URL("./tracker-child.ts", import.meta.url));

let world: TrackerWorld;
beforeEach(() => {
  world = new TrackerWorld();
});
afterEach(() => world.remove());

interface Outcome {
  /** The greatest position that was acknowledged before the end. */
  readonly acknowledged: number;
  readonly signal: string | null;
  readonly errors: string;
}

/** Runs a child until it ends; `onAck` may kill it. */
async function runChild(
  args: readonly string[],
  onAck: (acks: number, child: ChildProcess) => void,
  shell: readonly string[] = [],
): Promise<Outcome> {
  const command = [...shell, process.execPath, "--import", "tsx", CHILD, world.folder, ...args];
  const child = spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  const ended = once(child, "close");
  let acknowledged = 0;
  let acks = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    acks += 1;
    onAck(acks, child);
  }
  await ended;
  return { acknowledged, signal: child.signalCode, errors };
}

/** Exactly the points up to the position that the store says, and that at least the acknowledged. */
async function expectWhole(acknowledged: number): Promise<void> {
  const tracker = await world.open();
  const position = tracker.sourcePosition(SOURCE);
  expect(position).toBeGreaterThanOrEqual(acknowledged);
  const stored = position === 0 ? [] : await currentPoints(tracker);
  expect(stored).toEqual(Array.from({ length: position }, (_, i) => pointAt(i)));
  await world.close();
}

test.each(["tracker.before-commit", "tracker.after-commit"])(
  "killed at %s: nothing acknowledged is lost, nothing is stored twice",
  async (point) => {
    for (const passes of [1, 2, 5]) {
      const { acknowledged, signal } = await runChild([point, `${passes}`], () => undefined);
      expect(signal).toBe("SIGKILL");
      await expectWhole(acknowledged);
    }
  },
);

test("killed from outside at any moment, five times on the same folder", async () => {
  for (const acksBefore of [1, 3, 10, 2, 30]) {
    const { acknowledged, signal, errors } = await runChild([], (acks, child) => {
      if (acks === acksBefore) child.kill("SIGKILL");
    });
    expect({ signal, errors }).toEqual({ signal: "SIGKILL", errors: "" });
    expect(acknowledged).toBeGreaterThan(0);
    await expectWhole(acknowledged);
  }
});

test("a full disk ends in an error that says so, and loses nothing that was acknowledged", async () => {
  // A limit on the size of files stands for the disk; a shell sets it, in blocks of 1 KiB.
  const limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 700; exec "$@"', "bash"];
  const { acknowledged, errors } = await runChild([], () => undefined, limited);
  expect(errors).toMatch(/could not be written/);
  expect(acknowledged).toBeGreaterThan(0);
  await expectWhole(acknowledged);
});
