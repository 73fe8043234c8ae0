// Which processes of a task get the signal to save: the main process of each worker and nothing
// else. A signal to whole groups kills the helpers of a data loader, and the save is lost with them.

import { catchesSignal, childrenOf, hasVariable, programOf } from "./proc.ts";

/** torchrun gives this to its workers; everything that a worker starts inherits it. */
const WORKER_VARIABLE = "TORCHELASTIC_RUN_ID";
const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "zsh", "ash", "ksh"]);
/** Shell in shell in shell; deeper than any real command. */
const DEPTH_MAX = 16;

/** Workers of the torchrun that runs at or below `top`; empty when it has none (yet). */
export function workersBelow(top: number, depth = 0): readonly number[] {
  if (depth > DEPTH_MAX) return [];
  return childrenOf(top).flatMap((child) =>
    hasVariable(child, WORKER_VARIABLE) ? [child] : workersBelow(child, depth + 1),
  );
}

/**
 * Without torchrun: the command itself, or what a shell that stands for it is running. A shell
 * without a trap dies of the signal at once, and its children lose the grace that was meant for
 * them.
 */
export function mainProcesses(top: number, name: NodeJS.Signals, depth = 0): readonly number[] {
  if (depth > DEPTH_MAX || !SHELLS.has(programOf(top))) return [top];
  // Every shell catches SIGINT for its own purposes.
  if (name !== "SIGINT" && catchesSignal(top, name)) return [top];
  const children = childrenOf(top);
  if (children.length === 0) return [top];
  return children.flatMap((child) => mainProcesses(child, name, depth + 1));
}
