// What a job does again after it went back to a checkpoint. An attempt that starts at step s does
// all steps from s on again, so the points of earlier attempts with step >= s are superseded:
// kept, but left out of charts and of the latest value.
//
// The rule looks at one series at a time. Looking at the whole run would hide an evaluation of step
// 150 as soon as the loss goes on from step 100, but it would also let a metric that counts epochs
// (step 3) hide every loss from step 3 on; losing sight of real points is the worse mistake.
// It depends on the set of points only, never on the order in which they arrive.

/** What the rule needs to know of an attempt. */
export interface AttemptStart {
  readonly attempt: number;
  readonly stepMin: number;
}

/**
 * For each attempt the step at which it is superseded: its points below that are current.
 * `attempts` ascend by number; the newest is never superseded (Infinity).
 */
export function supersedeCuts(attempts: readonly AttemptStart[]): readonly number[] {
  const cuts: number[] = [];
  let cut = Infinity;
  for (const { stepMin } of attempts.toReversed()) {
    cuts.push(cut);
    cut = Math.min(cut, stepMin);
  }
  return cuts.reverse();
}
