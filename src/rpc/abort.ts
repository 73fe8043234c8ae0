// Waiting that can be given up.

/**
 * Settles as `promise` does, or rejects with the signal's reason as soon as that falls. What was
 * waited for goes on. Nothing stays behind on a signal that lives as long as the process, as it
 * would with a race against one promise.
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    promise.then(resolve, reject).finally(settled);
  });
}
