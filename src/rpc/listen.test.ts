import { expect, test } from "vitest";
import { RefusalError } from "../base/errors.ts";
import { plainTextRefusal } from "./listen.ts";
import { RpcServer } from "./server.ts";

const clock = { monotonicMs: () => performance.now() };
const observer = { started: () => undefined, handled: () => undefined, bug: () => undefined };

test.each(["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"])(
  "%s is loopback: plain text is fine",
  (address) => {
    expect(plainTextRefusal(address, false)).toBeNull();
  },
);

test.each(["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "localhost.example.org:1"])(
  "%s is served in plain text only on demand",
  (address) => {
    expect(plainTextRefusal(address, false)?.remedy).toContain("--insecure");
    expect(plainTextRefusal(address, true)).toBeNull();
  },
);

test("a port that is taken is refused with its address and what to do", async () => {
  const first = new RpcServer({ clock, observer, tls: null, isInsecure: false });
  const second = new RpcServer({ clock, observer, tls: null, isInsecure: false });
  const port = await first.listen("127.0.0.1:0");
  const error: unknown = await second
    .listen(`127.0.0.1:${port}`)
    .catch((thrown: unknown) => thrown);
  await Promise.all([first.stop(0), second.stop(0)]);
  if (!(error instanceof RefusalError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.refusal.field).toBe("listen");
  expect(error.refusal.message).toContain(`127.0.0.1:${port}`);
});
