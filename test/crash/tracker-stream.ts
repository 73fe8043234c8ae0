// The endless stream of points that the crash tests send: point n is a function of n.

import type { Point } from "../../src/tracker/core/points.ts";

export const SOURCE = "job-1/1/0";
export const POINTS_A_BATCH = 50;

export function pointAt(position: number): Point {
  return { step: position, timestampMs: 1_000 + position * 7, value: Math.sin(position) };
}
