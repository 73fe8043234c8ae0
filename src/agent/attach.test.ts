import { expect, test } from "vitest";
import { openTerminal, type TerminalOptions } from "./attach.ts";

const OPTIONS: TerminalOptions = {
  argv: [],
  cwd: "/",
  env: { PATH: process.env["PATH"] ?? "" },
  columns: 80,
  rows: 24,
};

/** A reader's pause: longer than the command runs, and than node-pty waits after its end. */
const SLOW_MS = 500;

function run(options: Partial<TerminalOptions>): Promise<{ text: string; exitCode: number }> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const listener = {
      output: (data: Buffer) => void chunks.push(data),
      ended: (exitCode: number) => resolve({ text: Buffer.concat(chunks).toString(), exitCode }),
    };
    openTerminal({ ...OPTIONS, ...options }, listener).catch(reject);
  });
}

// Without the held slave some of a hundred such runs lose their last lines.
test("nothing of a short command's output is lost, in any of 100 runs", async () => {
  const expected = Array.from({ length: 3_000 }, (_, index) => `${index + 1}\r\n`).join("");
  for (let round = 0; round < 20; round += 1) {
    const runs = Array.from({ length: 5 }, () => run({ argv: ["/bin/sh", "-c", "seq 1 3000"] }));
    for (const { text, exitCode } of await Promise.all(runs)) {
      expect({ length: text.length, exitCode }).toEqual({ length: expected.length, exitCode: 0 });
      expect(text === expected).toBe(true);
    }
  }
}, 120_000);

test("nothing is lost to a reader that holds the output up beyond the command's end", async () => {
  const lines = Array.from({ length: 600 }, (_, index) => `${index + 1}\r\n`).join("");
  const chunks: Buffer[] = [];
  const exitCode = await new Promise<number>((resolve, reject) => {
    const opened = openTerminal(
      { ...OPTIONS, argv: ["/bin/sh", "-c", "stty -echo; echo ready; read go; seq 1 600"] },
      {
        ended: resolve,
        output: (data) => {
          if (chunks.push(data) > 1) return;
          void opened.then((terminal) => {
            terminal.pause();
            terminal.write(Buffer.from("\n"));
            setTimeout(() => terminal.resume(), SLOW_MS);
          });
        },
      },
    );
    opened.catch(reject);
  });
  expect(Buffer.concat(chunks).toString()).toBe(`ready\r\n${lines}`);
  expect(exitCode).toBe(0);
});

test("a terminal ends with its command, though others go on writing to it", async () => {
  const left = "trap '' HUP; while :; do echo on; done & echo $!";
  const { text, exitCode } = await run({ argv: ["/bin/sh", "-c", left] });
  process.kill(Number.parseInt(/\d+/.exec(text)?.[0] ?? "", 10), "SIGKILL");
  expect(exitCode).toBe(0);
});

test("the exit code is the command's, or tells the signal", async () => {
  expect((await run({ argv: ["/bin/sh", "-c", "exit 3"] })).exitCode).toBe(3);
  expect((await run({ argv: ["/bin/sh", "-c", "kill -TERM $$"] })).exitCode).toBe(143);
});

test("without a command it is the user's shell", async () => {
  const env = { ...OPTIONS.env, SHELL: "/bin/echo" };
  expect((await run({ env })).text).toBe("-i\r\n");
});
