// The completion scripts in the shells they are for, on a real terminal: what a user types with TAB
// is what the shell then runs.

import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type IPty, spawn } from "node-pty";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
const LIMIT_MS = 15_000;

const SHELLS = [
  {
    name: "bash",
    shell: "bash",
    argv: ["--norc", "-i"],
    load: 'eval "$(trainyard completion bash)"',
  },
  {
    name: "zsh",
    shell: "zsh",
    argv: ["-f", "-i"],
    load: 'autoload -U compinit; compinit -u -D; eval "$(trainyard completion zsh)"',
  },
  {
    name: "zsh, from its fpath",
    shell: "zsh",
    argv: ["-f", "-i"],
    load: "trainyard completion zsh > _trainyard; fpath=($PWD $fpath); autoload -U compinit; compinit -u -D",
  },
  {
    name: "fish",
    shell: "fish",
    argv: ["--no-config", "-i"],
    load: "trainyard completion fish | source",
  },
] as const;

/** What is typed, with TAB, and the words that the program is then called with. */
const CASES: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ["lo\t-f", ["logs", "-f"]],
  ["queue sh\t", ["queue", "shares"]],
  ["--output json node dr\t", ["--output", "json", "node", "drain"]],
  ["submit --grac\t", ["submit", "--grace"]],
  ["ps --output js\t", ["ps", "--output", "json"]],
  ["ps --output=js\t", ["ps", "--output=json"]],
  ["ps --output=\t", ["ps", "--output="]],
  ["ps --output=wi\t-a", ["ps", "--output=wide", "-a"]],
  ["submit my-tr\t", ["submit", "my-train.py"]],
  ["completion z\t", ["completion", "zsh"]],
  ["run -- ./my-tr\t", ["run", "--", "./my-train.py"]],
];

let folder = "";
const open: IPty[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trainyard-completion-"));
  await writeFile(join(folder, "my-train.py"), "");
  await mkdir(join(folder, "my-folder"));
  // Answers as the program does; a call that is none of completion's is written down, not made.
  const program = join(folder, "trainyard");
  const main = `"${process.execPath}" --import "${import.meta.resolve("tsx")}" "${MAIN}"`;
  await writeFile(
    program,
    `#!/bin/sh
if [ "$1" = __complete ] || [ -z "$RAN" ]; then exec ${main} "$@"; fi
printf '%s\\n' "$@" > "$RAN.new" && mv "$RAN.new" "$RAN"
`,
  );
  await chmod(program, 0o755);
});

afterAll(async () => {
  for (const terminal of open) terminal.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

for (const { name, shell, argv, load } of SHELLS) {
  const isThere = spawnSync(shell, ["--version"]).status === 0;
  if (!isThere) process.stderr.write(`completion.test.ts: ${name} is skipped: not installed\n`);

  describe.skipIf(!isThere)(`in ${name}`, () => {
    let terminal: IPty;
    let screen = "";

    beforeAll(() => {
      const env = {
        PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`,
        HOME: folder,
        TERM: "xterm",
        TRAINYARD_SERVER: "127.0.0.1:1",
      };
      terminal = spawn(shell, [...argv], { cwd: folder, cols: 120, rows: 40, env });
      open.push(terminal);
      terminal.onData((text) => {
        screen += text;
      });
      terminal.write(`${load}\r`);
    });

    test.each(CASES)("completes %j", async (typed, words) => {
      const ran = join(folder, `${name}.ran`);
      await rm(ran, { force: true });
      const assign = shell === "fish" ? `set -x RAN "${ran}"` : `export RAN="${ran}"`;
      terminal.write(`${assign}\r`);
      terminal.write(`trainyard ${typed}\r`);
      const called = await readWhenThere(ran).catch(() => {
        throw new Error(`${shell} did not call the program; its screen:\n${screen}`);
      });
      expect(called).toEqual(words);
    });
  });
}

/** Lines of a file; waits for it. */
async function readWhenThere(path: string): Promise<readonly string[]> {
  const untilMs = performance.now() + LIMIT_MS;
  while (performance.now() < untilMs) {
    const text = await readFile(path, "utf8").catch(() => null);
    if (text !== null) return text.trimEnd().split("\n");
    await pause(20);
  }
  throw new Error(`${path} did not come`);
}
