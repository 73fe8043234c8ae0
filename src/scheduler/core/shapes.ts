// One object for each shape that waits: what a pass finds out about one job of a shape holds for all.

import type { JobSpec } from "./job.ts";
import { type Shape, shapeOf } from "./shape.ts";

/** Shapes in use, each with how many use it: those that nobody uses are forgotten. */
export class Shapes {
  readonly #byKey = new Map<string, { readonly shape: Shape; users: number }>();

  /** Call `release` with the same key once for each `take`. */
  take(key: string, spec: JobSpec): Shape {
    let known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, (known = { shape: shapeOf(spec), users: 0 }));
    known.users += 1;
    return known.shape;
  }

  copy(): Shapes {
    const copy = new Shapes();
    for (const [key, known] of this.#byKey) copy.#byKey.set(key, { ...known });
    return copy;
  }

  release(key: string): void {
    const known = this.#byKey.get(key);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users === 0) this.#byKey.delete(key);
  }

  get(key: string): Shape | undefined {
    return this.#byKey.get(key)?.shape;
  }
}
