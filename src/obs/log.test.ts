import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import { createLogger, prettyLine } from "./log.ts";

function lines(isTTY: boolean, style: "auto" | "json" | "pretty", level: "info" | "warn" = "info") {
  const written: string[] = [];
  const stream = { write: (line: string) => void written.push(line), isTTY };
  return { written, logger: createLogger({ level, name: "scheduler", style, stream }) };
}

test("a line is JSON with time, level, name and message", () => {
  const { written, logger } = lines(false, "auto");
  logger.info({ jobId: "job-1" }, "The job is placed");
  expect(JSON.parse(written[0] ?? "")).toEqual({
    level: "info",
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    name: "scheduler",
    jobId: "job-1",
    message: "The job is placed",
  });
});

test("an error is written with its message and stack", () => {
  const { written, logger } = lines(false, "json");
  logger.error({ error: new Error("disk full") }, "It failed");
  const line = JSON.parse(written[0] ?? "");
  expect(line.error).toMatchObject({ type: "Error", message: "disk full" });
  expect(line.error.stack).toContain("log.test.ts");
});

test("below the level nothing is written", () => {
  const { written, logger } = lines(false, "json", "warn");
  logger.info("quiet");
  logger.warn("loud");
  expect(written).toHaveLength(1);
});

test("on a terminal a line is one that people read", () => {
  const { written, logger } = lines(true, "auto");
  logger.warn({ skewMs: 5_200 }, "The clock is off");
  expect(written[0]).toContain("The clock is off");
  expect(written[0]).not.toContain('{"level"');
});

test("a readable line has time, level, name, message, fields, and the stack below", () => {
  const line = {
    level: "error",
    at: "2026-01-02T03:04:05.678Z",
    name: "agent",
    nodeId: "n1",
    tasks: [1, 2],
    message: "It failed",
    error: { stack: "Error: x\n  at y" },
  };
  expect(prettyLine(JSON.stringify(line), false)).toBe(
    "03:04:05.678 ERROR agent It failed nodeId=n1 tasks=[1,2]\n    Error: x\n      at y\n",
  );
});

// `/dev/full` answers every write with "no space left on device".
test("a log on a full disk loses lines and does not end the daemon", () => {
  const script = `
    const { createLogger } = await import(${JSON.stringify(new URL("./log.ts", import.meta.url))});
    const log = createLogger({ level: "info", name: "agent", style: "json" });
    for (let n = 0; n < 3; n += 1) log.info("said in vain");
    await new Promise((resolve) => setImmediate(resolve));
    console.log("alive");`;
  const full = openSync("/dev/full", "w");
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  const { status, stdout } = spawnSync(process.execPath, args, { stdio: ["ignore", "pipe", full] });
  closeSync(full);
  expect({ status, said: stdout.toString() }).toEqual({ status: 0, said: "alive\n" });
});
