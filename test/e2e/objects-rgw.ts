// A real S3 server for tests: Debian's Ceph RGW, or the one that TRAINYARD_TEST_S3_ENDPOINT names
// (keys AKTEST / SKTEST). Where there is neither, `s3Server` says why, and tests are skipped.

import { execFile } from "node:child_process";
import { access, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, "../../scripts/ceph-rgw.sh");
const BINARIES = ["ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "uuidgen"];

export interface S3Server {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/**
 * Why no S3 server can be had here; null when one can. Prints the reason: a skip is never silent.
 */
export async function whyNoS3(): Promise<string | null> {
  const why = await findReason();
  if (why !== null) console.warn(`S3 tests are skipped: ${why}`);
  return why;
}

async function findReason(): Promise<string | null> {
  if (process.env["TRAINYARD_TEST_S3_ENDPOINT"] !== undefined) return null;
  if (process.getuid?.() !== 0) return "starting Ceph RGW needs root.";
  for (const binary of BINARIES) {
    if (!(await isInPath(binary))) {
      return `${binary} is missing: apt-get install ceph-mon ceph-osd ceph-common radosgw uuid-runtime`;
    }
  }
  return null;
}

async function isInPath(binary: string): Promise<boolean> {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    const found = await access(join(folder, binary)).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/** About 15 s. Sets the credentials in this process's environment. */
export async function startS3(): Promise<S3Server> {
  process.env["AWS_ACCESS_KEY_ID"] = "AKTEST";
  process.env["AWS_SECRET_ACCESS_KEY"] = "SKTEST";
  const given = process.env["TRAINYARD_TEST_S3_ENDPOINT"];
  if (given !== undefined) return { endpoint: given, stop: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), "trainyard-rgw-"));
  const port = await freePort();
  const stop = async (): Promise<void> => {
    await run(SCRIPT, ["stop", folder]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await run(SCRIPT, ["start", folder, String(port)], { timeout: 180_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint: `http://127.0.0.1:${port}`, stop };
}

export async function makeBucket(endpoint: string, bucket: string): Promise<void> {
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}

/** Three free ports in a row begin here, as far as one can tell. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return Math.min(address.port, 65_000);
}
