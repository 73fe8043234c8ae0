import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { Session, type Stream } from "./session.ts";

const unused = (): never => {
  throw new Error("not in this test");
};

/** Of a scheduler that has taken the hello, and whose welcome is still on its way. */
class HalfOpen extends Duplex {
  isCancelled = false;

  constructor() {
    super({ objectMode: true, read: () => undefined, write: (_chunk, _encoding, done) => done() });
  }

  cancel(): void {
    this.isCancelled = true;
    this.destroy(new Error("cancelled"));
  }
}

test("stopping ends a connection that is not welcomed yet", async () => {
  const stream = new HalfOpen();
  const session = new Session({
    scheduler: { connect: () => stream as unknown as Stream, channel: unused },
    listener: {
      hello: () => ({}),
      welcomed: unused,
      heartbeatSent: unused,
      heartbeatAcked: unused,
      desired: unused,
      openChannel: unused,
      disconnected: unused,
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    random: () => 0,
  });
  session.start();
  const stopped = session.stop();
  expect(stream.isCancelled).toBe(true);
  await stopped;
});
