import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { World } from "./fixture.ts";
import { cli, openWorld } from "./fixture.ts";

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe("setting up", () => {
  it("config view says where each value comes from", async () => {
    const args = ["config", "view", "client", "--show-origin", "--server", "head:1"];
    const { stdout } = await cli(args, null, { env: { TRAINYARD_TENANT: "ops" } });
    expect(stdout).toMatch(/client +server +head:1 +--server/);
    expect(stdout).toMatch(/client +tenant +ops +TRAINYARD_TENANT/);
    expect(stdout).toMatch(/client +user +ann +default/);
  });

  it("init writes a file once", async () => {
    expect((await cli(["init"], null, { cwd: world.root })).code).toBe(0);
    expect(await readFile(join(world.root, "job.yaml"), "utf8")).toMatch(
      /^# yaml-language-server: \$schema=/,
    );
    const again = await cli(["init"], null, { cwd: world.root });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("job.yaml exists.");
  });

  it("daemons get their settled options and the signal", async () => {
    const seen: unknown[] = [];
    const runAgent = async (options: unknown): Promise<number> => {
      seen.push(options);
      return 0;
    };
    const args = ["agent", "--virtual-gpus", "4", "--label", "rack=r1"];
    const env = { TRAINYARD_AGENT_NAME: "n7" };
    expect((await cli(args, null, { env, ports: { runAgent } })).code).toBe(0);
    expect(seen).toMatchObject([{ name: "n7", virtualGpus: 4, labels: { rack: "r1" } }]);
  });

  it("a daemon's contradictions are usage errors", async () => {
    const result = await cli(["scheduler", "--listen", "0.0.0.0:1"], null);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("can be reached from other machines");
  });

  it("version prints one line", async () => {
    for (const argv of [["version"], ["--version"], ["-V"]]) {
      expect((await cli(argv, null)).stdout).toMatch(/^trainyard \d+\.\d+\.\d+ /);
    }
  });

  it("doctor: what fails is named with what to do, and the exit code is 1", async () => {
    const probeObjectStore = () => Promise.reject(new Error("no bucket"));
    const args = ["doctor", "--client-only", "--object-store", "s3://b/p", "--json"];
    const result = await cli([...args, "--server", "127.0.0.1:1"], null, {
      ports: { probeObjectStore },
    });
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({
      kind: "CheckList",
      isHealthy: false,
      items: [
        { name: "node", status: "ok" },
        { name: "config", status: "ok" },
        { name: "scheduler", status: "fail" },
        { name: "clock", status: "skip" },
        { name: "object store", status: "fail", message: "no bucket" },
      ],
    });
  });
});
