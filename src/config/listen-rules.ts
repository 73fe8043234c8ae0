// Who may be reached without encryption: only oneself, unless the operator says otherwise. Pure.

import type { Problem } from "./problem.ts";

/** The host part of `host:port`, without the brackets of IPv6. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** Both parts of `host:port`, as sockets take them. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  return { host: hostOf(address), port: portOf(address) };
}

export function isLoopback(address: string): boolean {
  const host = hostOf(address);
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

export interface PlainListener {
  readonly option: string;
  readonly address: string;
  readonly origin: string;
}

/** One problem for each address that others could reach in plain text. */
export function plainTextProblems(listeners: readonly PlainListener[], remedy: string): Problem[] {
  return listeners
    .filter(({ address }) => !isLoopback(address))
    .map(({ option, address, origin }) => ({
      where: origin,
      path: option,
      message: `${address} can be reached from other machines without encryption; ${remedy}`,
    }));
}
