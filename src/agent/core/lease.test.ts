import { expect, test } from "vitest";
import { heartbeatAcked, heartbeatSent, isExpired, NO_LEASE, resumed, welcomed } from "./lease.ts";
import { generationOf, linkDesired, linkWelcomed, NEW_LINK } from "./link.ts";

test("before the first welcome there is no lease", () => {
  expect(isExpired(NO_LEASE, 0)).toBe(true);
  expect(isExpired(resumed(50), 49)).toBe(false);
});

test("the lease runs from the sending of what was acknowledged, less the time to kill", () => {
  const lease = heartbeatSent(welcomed(NO_LEASE, 100, 10_000), 1, 5_000);
  expect(lease.untilMs).toBe(9_100);
  expect(heartbeatAcked(lease, 1).untilMs).toBe(14_000);
});

test("an ack of a heartbeat that was not sent on this stream is worth nothing", () => {
  const old = heartbeatSent(welcomed(NO_LEASE, 0, 10_000), 7, 5_000);
  const renewed = welcomed(old, 6_000, 10_000);
  expect(heartbeatAcked(renewed, 7)).toEqual(renewed);
});

test("acks out of order never shorten the lease", () => {
  let lease = welcomed(NO_LEASE, 0, 10_000);
  lease = heartbeatSent(heartbeatSent(lease, 1, 1_000), 2, 2_000);
  lease = heartbeatAcked(lease, 2);
  expect(heartbeatAcked(lease, 1)).toEqual(lease);
  expect(lease.untilMs).toBe(11_000);
});

test("a new stream starts without a desired state, and older generations are not taken", () => {
  const link = linkDesired(linkWelcomed(NEW_LINK, 0, 10_000), { generation: 8, tasks: [] });
  expect(generationOf(linkDesired(link, { generation: 7, tasks: [] }))).toBe(8);
  expect(linkWelcomed(link, 1, 10_000).desired).toBeNull();
});
