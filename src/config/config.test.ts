import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveAgent } from "./agent-options.ts";
import { CLIENT_OPTIONS } from "./client-options.ts";
import { configLayers, readConfigFiles } from "./files.ts";
import type { Host } from "./host.ts";
import type { Section } from "./option.ts";
import { renderOptionsReference } from "./reference.ts";
import type { Layer } from "./resolve.ts";
import { flagLayer, resolveOptions } from "./resolve.ts";
import { resolveScheduler } from "./scheduler-options.ts";
import { OPTION_TABLES } from "./tables.ts";
import { resolveUp } from "./up-options.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "trainyard-config-"));
  for (const folder of ["project/deep/er", "home/.config/trainyard", "etc"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
});
afterEach(() => rm(root, { recursive: true }));

const host = (env: Record<string, string> = {}): Host => ({
  env,
  cwd: join(root, "project/deep/er"),
  home: join(root, "home"),
  hostName: "node-7",
  userName: "ann",
  isRoot: false,
  systemConfigDir: join(root, "etc"),
});

const write = (path: string, text: string): Promise<void> => writeFile(join(root, path), text);

interface Given {
  readonly flags?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  readonly section?: Section;
}

async function layers({
  flags = {},
  env = {},
  section = "client",
}: Given = {}): Promise<readonly Layer[]> {
  const here = host(env);
  const files = await readConfigFiles(here);
  const raw = new Map(Object.entries(flags));
  return configLayers({ section, flags: raw, host: here, files, tables: OPTION_TABLES });
}

async function client(given: Given = {}) {
  return resolveOptions(CLIENT_OPTIONS, await layers(given), host(given.env));
}

describe("precedence", () => {
  it("flags beat the environment, that the project, that the user, that the system, that defaults", async () => {
    const expected: string[] = [];
    const servers = async (given: Given = {}): Promise<void> => {
      expected.push((await client(given)).values.server);
    };
    await servers();
    await write("etc/10-site.yaml", "client: {server: 'etc:1'}");
    await servers();
    await write("home/.config/trainyard/config.yaml", "client: {server: 'user:1'}");
    await servers();
    await write("project/.trainyard.yaml", "client: {server: 'project:1'}");
    await servers();
    const env = { TRAINYARD_SERVER: "env:1" };
    await servers({ env });
    await servers({ env, flags: { server: "flag:1" } });
    expect(expected).toEqual(["127.0.0.1:7070", "etc:1", "user:1", "project:1", "env:1", "flag:1"]);
  });

  it("of two system files the later name wins", async () => {
    await write("etc/10.yaml", "client: {tenant: first}");
    await write("etc/20.yaml", "client: {tenant: second}");
    expect((await client()).values.tenant).toBe("second");
  });

  it("says where each value comes from, with the line", async () => {
    await write("project/.trainyard.yaml", "client:\n  tenant: research\n");
    const { origins } = await client({ env: { TRAINYARD_USER: "bob" }, flags: { output: "json" } });
    expect(origins.tenant).toBe(join(root, "project/.trainyard.yaml:2:3"));
    expect([origins.user, origins.output, origins.server]).toEqual([
      "TRAINYARD_USER",
      "--output",
      "default",
    ]);
  });

  it("an empty environment variable counts as unset", async () => {
    expect((await client({ env: { TRAINYARD_SERVER: "" } })).origins.server).toBe("default");
  });
});

describe("contexts", () => {
  beforeEach(() =>
    write(
      "home/.config/trainyard/config.yaml",
      "client: {tenant: mine}\ncontexts:\n  prod: {server: 'prod:7070', tenant: ops}\ncurrent-context: prod\n",
    ),
  );

  it("the current context beats the user's general settings, but not the project", async () => {
    await write("project/.trainyard.yaml", "client: {server: 'project:1'}");
    const { values } = await client();
    expect([values.server, values.tenant]).toEqual(["project:1", "ops"]);
  });

  it("a context asked for by hand beats every file", async () => {
    await write("project/.trainyard.yaml", "client: {server: 'project:1'}");
    expect((await client({ flags: { context: "prod" } })).values.server).toBe("prod:7070");
  });

  it("an unknown context is refused with the nearest name", async () => {
    await expect(client({ flags: { context: "prdo" } })).rejects.toThrow("did you mean prod?");
  });
});

describe("mistakes in files", () => {
  it("are named all at once, with line, column and the nearest key", async () => {
    await write("project/.trainyard.yaml", "client:\n  sever: 'x:1'\nshceduler: {}\n");
    const file = join(root, "project/.trainyard.yaml");
    await expect(layers()).rejects.toThrow(
      `${file}:3:1 shceduler: unknown key, did you mean scheduler?\n` +
        `${file}:2:3 client.sever: unknown key, did you mean server?`,
    );
  });

  it("a bad value names file, line, key and what is accepted", async () => {
    await write("project/.trainyard.yaml", "client:\n  timeout: soon\n");
    await expect(client()).rejects.toThrow(
      /\.trainyard\.yaml:2:3 timeout: "soon" is not a duration/,
    );
  });

  it("a section that is no map is refused", async () => {
    await write("project/.trainyard.yaml", "client: [1]\n");
    await expect(layers()).rejects.toThrow("expected a map of");
  });
});

describe("rules between the scheduler's options", () => {
  const scheduler = (flags: Record<string, unknown>) =>
    resolveScheduler([flagLayer(new Map(Object.entries(flags)))], host());

  it("the object store lies in the data folder unless another is named", () => {
    expect(scheduler({ "data-dir": "/data/ty yard" }).objectStore).toBe(
      "file:///data/ty%20yard/objects",
    );
    expect(scheduler({ "object-store": "s3://b/p" }).objectStore).toBe("s3://b/p");
  });

  it("plain text to other machines needs --insecure or TLS", () => {
    expect(() => scheduler({ listen: "0.0.0.0:7070" })).toThrow(
      "--listen: 0.0.0.0:7070 can be reached from other machines",
    );
    expect(scheduler({ listen: "0.0.0.0:7070", insecure: true }).listen).toBe("0.0.0.0:7070");
    const tls = { "tls-cert": "/c.pem", "tls-key": "/k.pem" };
    expect(scheduler({ listen: "0.0.0.0:7070", ...tls }).tlsKey).toBe("/k.pem");
  });

  it("a certificate without its key is refused", () => {
    expect(() => scheduler({ "tls-cert": "/c.pem" })).toThrow("go together");
  });

  it("a heartbeat must leave room for lost messages", () => {
    expect(() => scheduler({ lease: "5s", heartbeat: "2s" })).toThrow("third of the lease");
  });

  it("values out of range are refused with the range", () => {
    expect(() => scheduler({ lease: "1ms" })).toThrow('"1ms" is outside 500ms to 10m');
    expect(() => scheduler({ listen: "localhost" })).toThrow("write host:port");
    expect(() => scheduler({ listen: "h:99999" })).toThrow("is not in 0 to 65535");
  });
});

describe("rules between the options of up", () => {
  const up = (flags: Record<string, unknown>) =>
    resolveUp([flagLayer(new Map(Object.entries(flags)))], host());

  it("its agents take the limits of a full disk, and the same rule holds between them", () => {
    const options = up({ "disk-free-min": "2GiB", "disk-free-enough": "3GiB" });
    expect([options.diskFreeMin, options.diskFreeEnough]).toEqual([2_048, 3_072]);
    const text = "disk-free-enough: 1GiB is less than --disk-free-min 2GiB";
    expect(() => up({ "disk-free-min": "2GiB" })).toThrow(text);
  });
});

describe("rules between the agent's options", () => {
  const agent = (flags: Record<string, unknown>) =>
    resolveAgent([flagLayer(new Map(Object.entries(flags)))], host());

  it("another machine's scheduler needs TLS or --insecure", () => {
    expect(() => agent({ scheduler: "head:7070" })).toThrow("give --ca or --tls, or --insecure");
    expect(agent({ scheduler: "head:7070", tls: true }).scheduler).toBe("head:7070");
  });

  it("takes its name from the host, labels from repeated flags, and `off` for no metrics", () => {
    const options = agent({ label: ["rack=r1", "zone=a"], "metrics-listen": "off" });
    expect([options.name, options.labels, options.metricsListen]).toEqual([
      "node-7",
      { rack: "r1", zone: "a" },
      null,
    ]);
  });

  it("a label without a value is refused", () => {
    expect(() => agent({ label: ["rack"] })).toThrow("is not key=value");
  });
});

it("docs/reference/options.md says what the tables say", async () => {
  await expect(renderOptionsReference()).toMatchFileSnapshot("../../docs/reference/options.md");
});
