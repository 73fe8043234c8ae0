import { getEventListeners, once } from "node:events";
import net from "node:net";
import { afterEach, expect, test } from "vitest";
import { addressFacing, localAddress } from "./local-address.ts";

const servers: net.Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(): Promise<{ readonly host: string; readonly port: number }> {
  const server = net.createServer((socket) => socket.destroy());
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { host: "127.0.0.1", port: address.port };
}

/** Where nobody listens any more. */
async function refusing(): Promise<{ readonly host: string; readonly port: number }> {
  const target = await listening();
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, "close");
  }
  return target;
}

test("tells the address that the other end sees", async () => {
  const { signal } = new AbortController();
  expect(await addressFacing(await listening(), signal)).toBe("127.0.0.1");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("one who is refused leaves nothing behind, however often", async () => {
  const { signal } = new AbortController();
  const target = await refusing();
  for (let n = 0; n < 3; n += 1) expect(await localAddress(target, signal)).toBeNull();
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("gives up when it is told to", async () => {
  const control = new AbortController();
  const target = await refusing();
  const found = addressFacing(target, control.signal);
  control.abort();
  expect(await found).toBeNull();
});
