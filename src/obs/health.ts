// Whether this process can do its work now, as named checks. Owns no check: whoever knows adds one.

export type HealthCheck = () => { readonly isOk: boolean; readonly detail: string };

export interface HealthReport {
  readonly isReady: boolean;
  /** `name: ok` or `name: what is wrong`, one each, in the order they were added. */
  readonly lines: readonly string[];
}

export class Health {
  readonly #checks = new Map<string, HealthCheck>();

  /** A check is quick and reads only memory: it runs with each question. */
  add(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
  }

  report(): HealthReport {
    const results = [...this.#checks].map(([name, check]) => ({ name, ...check() }));
    return {
      isReady: results.every((result) => result.isOk),
      lines: results.map(({ name, isOk, detail }) => `${name}: ${isOk ? "ok" : detail}`),
    };
  }
}
