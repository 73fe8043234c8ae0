import type { handleUnaryCall } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { Fault, type Refusal, RefusalError, refuse } from "../base/errors.ts";
import type { CallContext } from "./call-context.ts";
import { Connection } from "./client.ts";
import { ALICE, serveForTest, until, type WireFixture } from "./fixture.ts";
import type { TrackerServiceHandlers } from "./gen/trainyard/v1/TrackerService.ts";
import { bidiStream, unary } from "./handlers.ts";
import { decodeService } from "./loader.ts";
import { RemoteError } from "./remote-error.ts";

const tracker = decodeService("TrackerService");

function unused<Req, Res>(): handleUnaryCall<Req, Res> {
  return unary(() => Promise.reject(new Error("not called in this test")));
}

type GetRun = (runId: string, context: CallContext) => Promise<{ run: { id: string } } | Refusal>;

function handlersWith(getRun: GetRun): TrackerServiceHandlers {
  return {
    GetRun: unary((request, context) => getRun(request.runId, context)),
    CreateRun: unary((request) => Promise.resolve({ run: { name: request.name } })),
    UpdateRun: unused(),
    ListRuns: unused(),
    LogMetrics: unused(),
    QueryMetric: unused(),
    LatestMetrics: unused(),
    GetSourcePosition: unused(),
    IngestMetrics: bidiStream(async (batches, acks) => {
      for await (const batch of batches) {
        if (batch.source === "bad") return refuse("RUN_NOT_FOUND", "No such run.", "Create it.");
        await acks.send({ source: batch.source, position: batch.toPosition });
      }
      return undefined;
    }),
  };
}

let wire: WireFixture | null = null;
afterEach(async () => {
  await wire?.stop();
  wire = null;
});

async function serve(getRun: GetRun): Promise<WireFixture> {
  wire = await serveForTest({ TrackerService: handlersWith(getRun) });
  return wire;
}

async function errorOf(call: Promise<unknown>): Promise<RemoteError> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RemoteError) return error;
  throw new Error(`no RemoteError but ${String(error)}`);
}

test("a reply comes back typed, and who called is known", async () => {
  const { connect } = await serve((runId, { caller }) =>
    Promise.resolve({ run: { id: `${runId} for ${caller.user}@${caller.tenant}` } }),
  );
  const { run } = await connect().unary(tracker.GetRun, { runId: "r1" });
  expect(run?.id).toBe("r1 for alice@research");
});

test("a refusal keeps its code, message, remedy and field over the wire", async () => {
  const refusal = refuse("RUN_NOT_FOUND", "No run is „r9“.", "List them with `runs`.", "runId");
  const returned = await serve(() => Promise.resolve(refusal));
  const error = await errorOf(returned.connect().unary(tracker.GetRun, { runId: "r9" }));
  expect(error.refusal).toEqual(refusal);
  expect(returned.handled).toEqual(["GetRun NotFound"]);
});

test("a thrown refusal and a fault have the status of their catalogue entry", async () => {
  const { connect, handled } = await serve((runId) =>
    Promise.reject(
      runId === "refused"
        ? new RefusalError(refuse("INVALID_SPEC", "runId is odd.", "Even it.", "runId"))
        : new Fault("STORE_UNAVAILABLE", "The store is away."),
    ),
  );
  const connection = connect();
  const refused = await errorOf(connection.unary(tracker.GetRun, { runId: "refused" }));
  expect([refused.code, refused.field]).toEqual(["INVALID_SPEC", "runId"]);
  const faulty = await errorOf(connection.unary(tracker.GetRun, { runId: "" }));
  expect([faulty.code, faulty.refusal.message]).toEqual([
    "STORE_UNAVAILABLE",
    "The store is away.",
  ]);
  expect(handled).toEqual(["GetRun InvalidArgument", "GetRun Unavailable"]);
});

test("a bug is reported to the server's observer and leaks nothing to the caller", async () => {
  const { connect, bugs } = await serve(() => Promise.reject(new Error("secret detail")));
  const error = await errorOf(connect().unary(tracker.GetRun, { runId: "r1" }));
  expect(error.code).toBe("INTERNAL_ERROR");
  expect(error.message).not.toContain("secret");
  expect(bugs).toEqual([new Error("secret detail")]);
});

test("very long error text still arrives, clipped", async () => {
  const { connect } = await serve(() =>
    Promise.resolve(refuse("INVALID_SPEC", "ä".repeat(100_000), "b".repeat(100_000), "runId")),
  );
  const error = await errorOf(connect().unary(tracker.GetRun, { runId: "r1" }));
  expect(error.code).toBe("INVALID_SPEC");
  expect(error.refusal.message.length).toBeLessThan(2_000);
});

test("a caller whose name is no name is refused before the handler", async () => {
  const { connect } = await serve(() => Promise.reject(new Error("must not be called")));
  const connection = connect({ tenant: "a b", user: "alice" });
  const error = await errorOf(connection.unary(tracker.GetRun, { runId: "r1" }));
  expect([error.code, error.field]).toEqual(["INVALID_SPEC", "trainyard-tenant"]);
});

test("a message over 16 MiB is refused with its limit", async () => {
  const { connect } = await serve(() => Promise.resolve({ run: { id: "" } }));
  const runId = "x".repeat(17 * 1_048_576);
  const error = await errorOf(connect().unary(tracker.GetRun, { runId }));
  expect(error.code).toBe("TOO_LARGE");
  expect(error.remedy).toContain("16 MiB");
});

test("a unary call ends at its deadline, and its handler is told", async () => {
  let isTold = false;
  const { connect } = await serve(
    (runId, { signal }) =>
      new Promise((resolve, reject) => {
        if (runId === "first") resolve({ run: { id: runId } });
        signal.addEventListener("abort", () => {
          isTold = runId === "r1";
          reject(signal.reason);
        });
      }),
  );
  const connection = connect();
  // The connection is made by a call that waits for it: a deadline that passes before the call is on
  // its way reaches no handler.
  await connection.unary(tracker.GetRun, { runId: "first" });
  const call = connection.unary(tracker.GetRun, { runId: "r1" }, { timeoutMs: 500 });
  expect((await errorOf(call)).code).toBe("DEADLINE_PASSED");
  await until(() => isTold, "the handler's signal");
});

test("a server that is not there is named", async () => {
  const connection = new Connection({ address: "127.0.0.1:1", caller: ALICE, tls: null });
  const error = await errorOf(connection.unary(tracker.GetRun, { runId: "r1" }));
  connection.close();
  expect(error.code).toBe("SERVER_UNREACHABLE");
  expect(error.message).toContain("127.0.0.1:1");
});

test("a call that the server's end cuts off is no call that its caller ended", async () => {
  let isCalled = false;
  const { connect, server } = await serve(() => {
    isCalled = true;
    return new Promise(() => undefined);
  });
  const call = errorOf(connect().unary(tracker.GetRun, { runId: "r1" }));
  await until(() => isCalled, "the handler");
  await server.stop(0);
  expect((await call).code).toBe("SERVER_UNREACHABLE");
  expect((await call).message).toContain("went away before it replied");
});

test("a stream carries messages both ways and ends with a refusal where there is one", async () => {
  const { connect } = await serve(() => Promise.reject(new Error("not called")));
  const stream = connect().bidiStream(tracker.IngestMetrics);
  await stream.send({ source: "a", toPosition: 7 });
  await stream.send({ source: "bad" });
  const positions: number[] = [];
  const error = await errorOf(
    (async () => {
      for await (const ack of stream) positions.push(ack.position);
    })(),
  );
  expect(positions).toEqual([7]);
  expect(error.code).toBe("RUN_NOT_FOUND");
});

test("a stop ends streams with UNAVAILABLE and lets a short call finish", async () => {
  const waiting: (() => void)[] = [];
  const { connect, server } = await serve(
    () =>
      new Promise((resolve) => {
        waiting.push(() => resolve({ run: { id: "done" } }));
      }),
  );
  const connection = connect();
  const short = connection.unary(tracker.GetRun, { runId: "r1" });
  const stream = connection.bidiStream(tracker.IngestMetrics);
  await stream.send({ source: "a" });
  const replies = stream[Symbol.asyncIterator]();
  await replies.next();
  await until(() => waiting.length === 1, "the short call's handler");
  const stopped = server.stop(5_000);
  expect((await errorOf(Promise.resolve(replies.next()))).code).toBe("SHUTTING_DOWN");
  waiting[0]?.();
  expect((await short).run?.id).toBe("done");
  await stopped;
});
