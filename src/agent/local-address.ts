// Which of this machine's addresses faces the scheduler: the one that a connection to it gets.

import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const DIAL_AGAIN_MS = 500;

/** Tries until somebody answers there; null when the signal fell before. */
export async function addressFacing(
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<string | null> {
  while (!signal.aborted) {
    const found = await localAddress(target, signal);
    if (found !== null) return found;
    await sleep(DIAL_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/**
 * Null when nobody answers, or the signal fell: packets may vanish for minutes. Node's own `signal`
 * option keeps a listener for each connection that was refused.
 */
export function localAddress(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    let found: string | null = null;
    const giveUp = (): void => void socket.destroy();
    signal.addEventListener("abort", giveUp);
    socket.once("connect", () => {
      found = socket.localAddress ?? null;
      socket.destroy();
    });
    socket.once("error", () => undefined); // It is closed next.
    socket.once("close", () => {
      signal.removeEventListener("abort", giveUp);
      resolve(found);
    });
  });
}
