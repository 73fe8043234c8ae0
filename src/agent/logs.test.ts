import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LOG_CHUNK_BYTES, type LogChunk, readLogs } from "./logs.ts";

let folder: string;
let files: { stdout: string; stderr: string };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ty-logs-"));
  files = { stdout: join(folder, "stdout.log"), stderr: join(folder, "stderr.log") };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const print = (text: string) => appendFileSync(files.stdout, text);
const never = new AbortController().signal;
const plain = { tailLines: 0, follow: false, isOver: () => true, signal: never };

async function collect(options: Partial<Parameters<typeof readLogs>[1]>): Promise<LogChunk[]> {
  const chunks: LogChunk[] = [];
  for await (const chunk of readLogs(files, { ...plain, ...options })) chunks.push(chunk);
  return chunks;
}

const text = (chunks: readonly LogChunk[]) => Buffer.concat(chunks.map((c) => c.data)).toString();

test("everything comes, in chunks with offsets that join", async () => {
  print("a".repeat(LOG_CHUNK_BYTES) + "b");
  const chunks = await collect({});
  expect(chunks.map(({ offset, data }) => [offset, data.length])).toEqual([
    [0, LOG_CHUNK_BYTES],
    [LOG_CHUNK_BYTES, 1],
  ]);
});

test.each([
  ["a\nb\nc\n", 2, "b\nc\n"],
  ["a\nb\nc", 2, "b\nc"],
  ["a\nb\n", 5, "a\nb\n"],
  ["\n\n\n", 1, "\n"],
  ["", 3, ""],
])("of %j the last %i lines are %j", async (content, tailLines, expected) => {
  print(content);
  const chunks = await collect({ tailLines });
  expect(text(chunks)).toBe(expected);
  expect(chunks[0]?.offset ?? content.length).toBe(content.length - expected.length);
});

test("a task that has written nothing yet is followed until it does", async () => {
  let isOver = false;
  const reading = collect({ follow: true, isOver: () => isOver });
  print("late\n");
  isOver = true;
  expect(text(await reading)).toBe("late\n");
});

test("what was written just before the end is not cut off", async () => {
  let asked = 0;
  // Writes between the question and the reading, as a task does that ends just then.
  const isOver = () => {
    asked += 1;
    print(`${asked}\n`);
    return asked === 3;
  };
  expect(text(await collect({ follow: true, isOver }))).toBe("1\n2\n3\n");
});

test("a reader that goes away ends the reading", async () => {
  const stopper = new AbortController();
  const reading = collect({ follow: true, isOver: () => false, signal: stopper.signal });
  stopper.abort();
  expect(await reading).toEqual([]);
});
