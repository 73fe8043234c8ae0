import { expect, test } from "vitest";
import type { ListNodesResponse__Output } from "../../rpc/gen/trainyard/v1/ListNodesResponse.ts";
import type { Cluster } from "../cluster.ts";
import { NOW_MS } from "../fixture.ts";
import { nodeClocksCheck, ownClockCheck } from "./clock-checks.ts";

/** A scheduler whose clock says `nowMs`, with nodes whose clocks are that far ahead of it. */
function clusterAt(nowMs: number, aheadMs: Readonly<Record<string, number>>) {
  const nodes = Object.entries(aheadMs).map(([name, ahead]) => ({
    name,
    clock: { aheadMs: ahead, errorMs: 4 },
  }));
  const reply = { nodes, now: { seconds: nowMs / 1_000, nanos: 0 } };
  const listNodes = async () => reply as unknown as ListNodesResponse__Output;
  return { listNodes } satisfies Pick<Cluster, "listNodes">;
}

test.each([
  [0, "ok", /^\d+ ms \(± \d+ ms\)/],
  [90_000, "warn", /^(90\.0|89\.\d) s \(± \d+ ms\) ahead of the scheduler's$/],
  [-3_600_000, "fail", /^360\d\.\d s \(± \d+ ms\) behind the scheduler's$/],
])("this machine's clock %d ms ahead is %s", async (aheadMs, status, message) => {
  const result = await ownClockCheck(clusterAt(NOW_MS, {}), () => NOW_MS + aheadMs);
  expect(result.status).toBe(status);
  expect(result.message).toMatch(message);
  expect(result.remedy === "").toBe(status === "ok");
});

test("nodes whose clocks are off are named with what to do", async () => {
  const check = (ahead: Readonly<Record<string, number>>) =>
    nodeClocksCheck(clusterAt(NOW_MS, ahead));
  expect(await check({})).toMatchObject({ status: "skip" });
  expect(await check({ a: 1_003, b: -7 })).toMatchObject({
    status: "ok",
    message: "2 within 1007 ms of the scheduler's",
  });
  expect(await check({ a: 1, b: -2_500, c: 400_000 })).toMatchObject({
    status: "fail",
    message: "b 2.5 s (± 4 ms) behind the scheduler's; c 400.0 s (± 4 ms) ahead of the scheduler's",
    remedy: "On b, c: have it set by NTP: `timedatectl set-ntp true`, or chrony.",
  });
});
