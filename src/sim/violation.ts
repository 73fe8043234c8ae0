// A promise of the system that did not hold. Thrown where it is seen; ends the run.

export class Violation extends Error {
  override readonly name = "Violation";
}

export function promise(holds: boolean, what: () => string): void {
  if (!holds) throw new Violation(what());
}
