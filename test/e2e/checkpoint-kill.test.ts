// An agent is killed with SIGKILL in the middle of a multipart upload to a real S3 server. Its task
// trains on; the agent that comes back goes on with the upload, and the checkpoint is committed whole.

import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { join } from "node:path";
import { ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checkpointId, digest, jobId } from "../../src/base/ids.ts";
import { restoreCheckpoint } from "../../src/checkpoint/restore.ts";
import { openObjectStore } from "../../src/objects/open.ts";
import { CLOCK, zipOf } from "./checkpoint-world.ts";
import { connect, Daemons, end, phaseIs, submitScript, until } from "./daemons.ts";
import { makeBucket, type S3Server, startS3, whyNoS3 } from "./objects-rgw.ts";

const MIB = 1024 * 1024;
/** Three parts of the size that agents send. */
const SIZE = 3 * 64 * MIB - MIB;
const why = await whyNoS3();

/** Between the daemons and the server: counts what is sent, and can keep a part from getting there. */
class Gate {
  /** What got there: `begin`, `part 1`, `complete`, in order. */
  readonly sent: string[] = [];
  /** This one waits, for ever, and says so. */
  held: string | null = null;
  isHolding = false;
  readonly #server: Server;

  constructor(endpoint: string) {
    this.#server = createServer((call, answer) => this.#pass(new URL(endpoint), call, answer));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `http://127.0.0.1:${address.port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #pass({ hostname, port }: URL, call: IncomingMessage, answer: ServerResponse): void {
    const { method, url: path, headers } = call;
    const step = stepOf(method ?? "", path ?? "");
    if (step !== null && step === this.held) {
      this.isHolding = true;
      return;
    }
    const forward = request({ hostname, port, method, path, headers }, (reply) => {
      if (step !== null && reply.statusCode === 200) this.sent.push(step);
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    forward.on("error", () => answer.destroy());
    call.on("error", () => forward.destroy());
    call.pipe(forward);
  }
}

function stepOf(method: string, path: string): string | null {
  const query = new URL(path, "http://any").searchParams;
  const part = query.get("partNumber");
  if (method === "PUT" && part !== null) return `part ${part}`;
  if (method !== "POST") return null;
  return query.has("uploads") ? "begin" : query.has("uploadId") ? "complete" : null;
}

describe.skipIf(why !== null)(`S3${why === null ? "" : `: skipped, ${why}`}`, () => {
  const bucket = `trainyard-${randomUUID()}`;
  let server: S3Server;
  let daemons: Daemons;
  let gate: Gate;
  beforeAll(async () => {
    server = await startS3();
    await makeBucket(server.endpoint, bucket);
  });
  afterAll(async () => {
    await server?.stop();
  });
  beforeEach(() => {
    daemons = new Daemons();
    gate = new Gate(server.endpoint);
  });
  afterEach(async () => {
    await daemons.stop();
    gate.close();
  });

  test("an agent killed in the middle of an upload goes on with it: no part is sent twice", async () => {
    const url = `s3://${bucket}/killed?endpoint=${await gate.listen()}&parallel=1`;
    const { grpc } = await daemons.startScheduler(undefined, ["--object-store", url]);
    const cluster = await connect(grpc);
    const agent = daemons.startAgent(grpc, "n1");
    const bytes = zipOf(randomBytes(SIZE));
    const [model, go] = [join(daemons.dir, "model"), join(daemons.dir, "go")];
    writeFileSync(model, bytes);
    const save = `cp ${model} "$TRAINYARD_CHECKPOINT_DIR/step-7.pt"`;
    gate.held = "part 2";
    const wait = `while [ ! -e ${go} ]; do sleep 0.05; done`;
    const job = await submitScript(cluster, "r-1", `${save}; ${wait}`);
    await until("the second part", async () => gate.isHolding || null);
    await end(agent, "SIGKILL");
    expect(gate.sent).toEqual(["begin", "part 1"]);

    gate.held = null;
    daemons.startAgent(grpc, "n1");
    const checkpoint = await until("the checkpoint", async () => {
      const found = (await cluster.getJob({ job })).job?.checkpoint;
      return found?.state === "committed" ? found : null;
    });
    expect(gate.sent.slice(2)).toEqual(["part 2", "part 3", "complete"]);
    writeFileSync(go, "");
    await phaseIs(cluster, job, "SUCCEEDED");
    expect((await cluster.getJob({ job })).job?.attempts).toHaveLength(1);
    cluster.close();

    // A restore verifies every hash on its way.
    const objects = await openObjectStore(url, { clock: CLOCK });
    const destDir = join(daemons.dir, "restored");
    await restoreCheckpoint(
      { objects, cache: null },
      {
        jobId: jobId(job),
        checkpointId: checkpointId(checkpoint.id),
        manifestDigest: digest(checkpoint.manifestDigest),
        destDir,
      },
    );
    expect(readFileSync(join(destDir, "step-7.pt")).equals(bytes)).toBe(true);
    await objects.close();
    expect(await unfinishedUploads(server.endpoint, bucket)).toBe(0);
  });
});

async function unfinishedUploads(endpoint: string, bucket: string): Promise<number> {
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true });
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  client.destroy();
  return Uploads.length;
}
