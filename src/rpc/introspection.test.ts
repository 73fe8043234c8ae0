import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  credentials,
  loadPackageDefinition,
  makeClientConstructor,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { service as healthService } from "grpc-health-check";
import { afterEach, expect, test } from "vitest";
import { serveForTest, type WireFixture } from "./fixture.ts";
import type { CheckpointServiceHandlers } from "./gen/trainyard/v1/CheckpointService.ts";
import { unary } from "./handlers.ts";

const checkpoints: CheckpointServiceHandlers = {
  ListCheckpoints: unary(() => Promise.resolve({ checkpoints: [] })),
  SweepObjects: unary(() => Promise.resolve({})),
};

let wire: WireFixture | null = null;
afterEach(async () => {
  await wire?.stop();
  wire = null;
});

async function serve(): Promise<string> {
  wire = await serveForTest({ CheckpointService: checkpoints });
  return `127.0.0.1:${wire.port}`;
}

test("health answers for the server and for each service it has", async () => {
  const Health = makeClientConstructor(healthService, "Health");
  const client = new Health(await serve(), credentials.createInsecure());
  const check = (service: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, reply: unknown): void =>
        error === null ? resolve(reply) : reject(error);
      client["check"]?.({ service }, done);
    });
  expect(await check("")).toEqual({ status: "SERVING" });
  expect(await check("trainyard.v1.CheckpointService")).toEqual({ status: "SERVING" });
  await expect(check("trainyard.v1.JobService")).rejects.toThrow("NOT_FOUND");
  client.close();
});

test("reflection describes the services to a client without proto files", async () => {
  const client = new (reflectionClient())(await serve(), credentials.createInsecure());
  const call = client["ServerReflectionInfo"]?.();
  const replies: Record<string, Record<string, unknown>>[] = [];
  const ended = new Promise<void>((resolve) => {
    call.on("data", (reply: Record<string, Record<string, unknown>>) => replies.push(reply));
    call.on("end", resolve);
  });
  call.write({ listServices: "*" });
  call.write({ fileContainingSymbol: "trainyard.v1.CheckpointService" });
  call.end();
  await ended;
  client.close();
  expect(replies[0]?.["listServicesResponse"]?.["service"]).toContainEqual({
    name: "trainyard.v1.CheckpointService",
  });
  const files = replies[1]?.["fileDescriptorResponse"]?.["fileDescriptorProto"];
  const text = Array.isArray(files) ? Buffer.concat(files).toString("latin1") : "";
  expect(text).toContain("ListCheckpointsRequest");
});

/** From the proto file of the package that serves it: no code of ours is between. */
function reflectionClient(): ServiceClientConstructor {
  const manifest = createRequire(import.meta.url).resolve("@grpc/reflection/package.json");
  const file = join(dirname(manifest), "build/proto/grpc/reflection/v1/reflection.proto");
  const found = loadPackageDefinition(loadSync(file, {}));
  const path = ["grpc", "reflection", "v1", "ServerReflection"];
  return path.reduce<unknown>(
    (at, name) => (at as Record<string, unknown>)[name],
    found,
  ) as ServiceClientConstructor;
}
