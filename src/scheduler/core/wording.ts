// Words that sentences about jobs are made of.

import type { JobSpec } from "./job.ts";

/** How many names a sentence has. */
export const NAMED_MAX = 5;

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
/** `a`, `a and b`, `a, b and c`. */
export const and = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
/** With the reason if there is one, a capital letter, and one full stop. */
export function sentence(text: string, why = ""): string {
  const told = why === "" ? text : `${text}: ${why}`;
  const first = told.charAt(0).toUpperCase() + told.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

export const times = (n: number): string => (n === 1 ? "once" : `${n} times`);
export const clock = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, "Z");

export function sizeOf({ nodes, nodesMin, perNode }: JobSpec): string {
  const gpus = count(perNode.gpus, "GPU");
  if (nodesMin < nodes) return `${nodesMin} to ${nodes} × ${gpus}`;
  return nodes === 1 ? gpus : `${nodes} × ${gpus}`;
}

export function named(names: readonly string[]): string {
  const first = names.slice(0, NAMED_MAX).join(", ");
  return names.length > NAMED_MAX ? `${first} and ${names.length - NAMED_MAX} more` : first;
}

/** Memory as a person writes it. */
export const memoryText = (mib: number): string =>
  mib > 0 && mib % 1_024 === 0 ? `${mib / 1_024} GiB` : `${mib} MiB`;

/** GPU time as a person counts it. */
export function gpuTime(gpuMs: number): string {
  if (gpuMs < 3_600_000) return `${(gpuMs / 1_000).toFixed(0)} GPU seconds`;
  return `${(gpuMs / 3_600_000).toFixed(1)} GPU hours`;
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
