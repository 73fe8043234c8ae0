import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LeaseFile } from "./lease-file.ts";
import { isErrno } from "./proc.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "trainyard-lease-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("what was written is read by another; an earlier date changes nothing", () => {
  const lease = new LeaseFile(dir);
  lease.write(2_000);
  lease.write(1_000);
  expect(new LeaseFile(dir).read()).toBe(2_000);
});

/** A file system that a test may fill needs root. */
function mountSmall(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", dir], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}

function fill(): void {
  try {
    writeFileSync(join(dir, "fill"), Buffer.alloc(1024 * 1024));
  } catch (error) {
    if (!isErrno(error, "ENOSPC")) throw error;
  }
}

test("on a full disk the lease goes on, so that no task is stopped for it", (context) => {
  if (!mountSmall()) return context.skip("needs the right to mount a tmpfs");
  try {
    const lease = new LeaseFile(dir);
    lease.write(1_000);
    fill();
    lease.write(123_456.5);
    expect(new LeaseFile(dir).read()).toBe(123_456.5);
  } finally {
    execFileSync("umount", [dir]);
  }
});
