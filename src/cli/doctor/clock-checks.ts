// Whether the clocks of this machine and of the nodes agree with the scheduler's. Leases count
// elapsed time and need no agreement; S3, certificates and whoever compares two logs do.

import { type ClockOffset, clockOffset, closest, surelyApartMs } from "../../base/clock-offset.ts";
import type { Cluster } from "../cluster.ts";
import { timeMs } from "../wire.ts";
import type { CheckResult } from "./check.ts";
import { notOk, ok } from "./check.ts";

/** Of so many questions, the one that was answered fastest says it best. */
const QUESTIONS = 5;
const WARN_MS = 1_000;
/** S3 refuses requests that are 15 minutes off. */
const FAIL_MS = 5 * 60_000;

const REMEDY = "have it set by NTP: `timedatectl set-ntp true`, or chrony.";

/** This machine's clock beside the scheduler's. */
export async function ownClockCheck(
  cluster: Pick<Cluster, "listNodes">,
  nowMs: () => number,
): Promise<CheckResult> {
  const offsets: ClockOffset[] = [];
  for (let question = 0; question < QUESTIONS; question += 1) {
    const askedMs = performance.now();
    const theirsMs = timeMs((await cluster.listNodes({})).now);
    const roundTripMs = performance.now() - askedMs;
    if (theirsMs !== null) offsets.push(clockOffset({ roundTripMs, oursMs: nowMs(), theirsMs }));
  }
  const offset = closest(offsets);
  if (offset === null) return notOk("clock", "skip", "this scheduler does not tell its time");
  const found = `${offsetText(offset)} the scheduler's`;
  const status = statusOf(offset);
  return status === "ok"
    ? ok("clock", found)
    : notOk("clock", status, found, `This machine's clock or the scheduler's is wrong: ${REMEDY}`);
}

/** The clocks of the connected nodes, as their agents measure them. */
export async function nodeClocksCheck(cluster: Pick<Cluster, "listNodes">): Promise<CheckResult> {
  const name = "node clocks";
  const { nodes } = await cluster.listNodes({});
  const known = nodes.flatMap(({ name: node, clock }) => (clock ? [{ node, clock }] : []));
  if (known.length === 0) return notOk(name, "skip", "no agent has told its clock yet");
  const wrong = known.filter(({ clock }) => statusOf(clock) !== "ok");
  if (wrong.length === 0) {
    const most = Math.max(...known.map(({ clock }) => Math.abs(clock.aheadMs) + clock.errorMs));
    return ok(name, `${known.length} within ${most} ms of the scheduler's`);
  }
  const worst = wrong.some(({ clock }) => statusOf(clock) === "fail") ? "fail" : "warn";
  const found = wrong.map(({ node, clock }) => `${node} ${offsetText(clock)} the scheduler's`);
  const which = wrong.map(({ node }) => node).join(", ");
  return notOk(name, worst, found.join("; "), `On ${which}: ${REMEDY}`);
}

/** What the error leaves open counts as right. */
function statusOf(offset: ClockOffset): "ok" | "warn" | "fail" {
  const apartMs = surelyApartMs(offset);
  if (apartMs < WARN_MS) return "ok";
  return apartMs < FAIL_MS ? "warn" : "fail";
}

/** `1.5 s (± 2 ms) ahead of`, `3 ms (± 1 ms) behind`. */
function offsetText({ aheadMs, errorMs }: ClockOffset): string {
  const apartMs = Math.abs(aheadMs);
  const text = apartMs < 1_000 ? `${apartMs} ms` : `${(apartMs / 1_000).toFixed(1)} s`;
  return `${text} (± ${errorMs} ms) ${aheadMs < 0 ? "behind" : "ahead of"}`;
}
