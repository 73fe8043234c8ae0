// What a daemon has started, stopped in the opposite order; also when its start breaks off half way.

export class Parts {
  readonly #stops: (() => unknown)[] = [];

  add(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  /**
   * Stops all of them, one after another. One that fails keeps none of the others open; the first
   * failure is thrown at the end.
   */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const stop of this.#stops.splice(0).reverse()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
