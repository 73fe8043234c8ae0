// Runs a small program for a check, with a limit on its time and output.

import { execFile } from "node:child_process";

const TIME_MAX_MS = 20_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;

export type CommandOutput =
  | { readonly kind: "done"; readonly stdout: string }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly message: string };

/** Never throws: that a program is absent is what a check wants to know. */
export function commandOutput(program: string, args: readonly string[]): Promise<CommandOutput> {
  return new Promise((resolve) => {
    const options = { timeout: TIME_MAX_MS, maxBuffer: OUTPUT_BYTES_MAX };
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve({ kind: "done", stdout });
      if (error.code === "ENOENT" || error.code === "EACCES") return resolve({ kind: "absent" });
      const lastLine = stderr.trim().split("\n").at(-1) ?? "";
      resolve({ kind: "failed", message: lastLine === "" ? error.message : lastLine });
    });
  });
}
