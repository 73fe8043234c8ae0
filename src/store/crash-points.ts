// Named places at which a test may end the process, to prove that what was acknowledged before is
// there after the restart. Owns the list of names; does nothing in production, where none is armed.

export const CRASH_POINTS = [
  "log.before-commit",
  "log.after-commit",
  "loop.before-reply",
  "loop.before-plan-commit",
  "loop.after-plan-commit",
  "snapshot.before-rows",
  "snapshot.between-rows",
  "snapshot.before-head",
  "snapshot.after-head",
  "snapshot.before-prune",
  "trim.between-rows",
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

let armed: ((point: CrashPoint) => void) | null = null;

/** One comparison with null when nothing is armed. */
export function crashPoint(point: CrashPoint): void {
  if (armed !== null) armed(point);
}

/** `onPoint` is called at each point that is passed, until the returned function is called. */
export function armCrashPoints(onPoint: (point: CrashPoint) => void): () => void {
  armed = onPoint;
  return () => {
    armed = null;
  };
}

/** Ends this process as a power cut would: no handler runs, nothing is flushed. */
export function dieAt(target: CrashPoint, passes: number): () => void {
  let left = passes;
  return armCrashPoints((point) => {
    if (point !== target) return;
    left -= 1;
    if (left <= 0) process.kill(process.pid, "SIGKILL");
  });
}
