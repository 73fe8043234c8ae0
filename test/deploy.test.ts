// What lies in deploy/ fits the program: alerts and panels ask for metrics that exist, manifests and
// units give options that exist, runbooks name commands that exist, and the tools of Prometheus and
// systemd find nothing wrong.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { Entry } from "../src/cli/command.ts";
import { REGISTRY } from "../src/cli/registry.ts";
import { AGENT_OPTIONS } from "../src/config/agent-options.ts";
import type { OptionTable } from "../src/config/option.ts";
import { SCHEDULER_OPTIONS } from "../src/config/scheduler-options.ts";

const ROOT = resolve(import.meta.dirname, "..");
const DEPLOY = join(ROOT, "deploy");
const scratch = mkdtempSync(join(tmpdir(), "trainyard-deploy-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const hasPromtool = existsSync("/usr/bin/promtool");
const hasSystemd = existsSync("/usr/bin/systemd-analyze");

const read = (path: string): string => readFileSync(join(DEPLOY, path), "utf8");
const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
}

function rules(): readonly Rule[] {
  const file = parse(read("prometheus/alerts.yml")) as { groups: { rules: Rule[] }[] };
  return file.groups.flatMap((group) => group.rules);
}

function panels(): readonly Panel[] {
  return (JSON.parse(read("grafana/trainyard.json")) as { panels: Panel[] }).panels;
}

const queries = (): readonly string[] =>
  panels().flatMap((panel) => (panel.targets ?? []).map(({ expr }) => expr));

/** Names in the source, as the registries are given them. */
function metricsOfSource(): ReadonlySet<string> {
  const paths = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
  const texts = paths
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => readFileSync(join(ROOT, "src", path), "utf8"));
  const names = texts.join("\n").matchAll(/"((?:trainyard|grpc_server|DCGM_FI)_\w+)"/g);
  return new Set([...names].map((match) => match[1] ?? ""));
}

/** Metrics that an expression asks for, without the endings of histograms. */
function metricsOf(expression: string): readonly string[] {
  const names = expression.matchAll(/\b((?:trainyard|grpc_server|DCGM_FI)_\w+)/g);
  return [...names].map((match) => (match[1] ?? "").replace(/_(bucket|count|sum)$/, ""));
}

describe("alerts and dashboard", () => {
  test("ask only for metrics that the program has", () => {
    const known = metricsOfSource();
    const asked = [...rules().map(({ expr }) => expr), ...queries()].flatMap(metricsOf);
    console.log(`deploy: ${asked.length} uses of ${new Set(asked).size} metrics`);
    expect(asked.length).toBeGreaterThan(40);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
  });

  test("say for each alert how urgent it is, what it means and what to do", () => {
    const alerts = rules().filter(({ alert }) => alert !== undefined);
    expect(alerts.length).toBeGreaterThan(15);
    for (const { alert, labels, annotations } of alerts) {
      expect([alert, labels?.["severity"]]).toEqual([
        alert,
        expect.stringMatching(/^(page|ticket)$/),
      ]);
      expect([alert, annotations?.["summary"]]).toEqual([alert, expect.stringMatching(/.\.$/)]);
      expect([alert, (annotations?.["runbook"] ?? "").length]).toEqual([alert, expect.any(Number)]);
      expect((annotations?.["runbook"] ?? "").length).toBeGreaterThan(40);
    }
  });

  test("name only commands that the program has", () => {
    const words = (entries: readonly Entry[], before = ""): readonly string[] =>
      entries.flatMap((entry) => [
        `${before}${entry.name}`,
        ...("children" in entry ? words(entry.children, `${before}${entry.name} `) : []),
      ]);
    const known = words(REGISTRY);
    const named = [
      ...read("prometheus/alerts.yml").matchAll(/`trainyard ([a-z ]+?)(?= [A-Z-]|`)/g),
    ];
    const commands = [...new Set(named.map((match) => match[1] ?? ""))];
    expect(commands.length).toBeGreaterThan(5);
    expect(commands.filter((command) => !known.includes(command))).toEqual([]);
  });

  test("no two panels overlap, and each says what it shows", () => {
    const taken = new Set<string>();
    const silent = panels().filter(({ type, description }) => type !== "row" && !description);
    expect(silent.map(({ title }) => title)).toEqual([]);
    for (const { title, gridPos } of panels()) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.has(`${x} ${y}`), x < 24]).toEqual([title, false, true]);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  test.skipIf(!hasPromtool)("are sound to promtool, which also tries the alerts", () => {
    const folder = join(DEPLOY, "prometheus");
    expect(run("promtool", "check", "config", join(folder, "scrape.yml"))).toContain("SUCCESS");
    expect(run("promtool", "test", "rules", join(folder, "alerts.test.yml"))).toContain("SUCCESS");
  });

  test.skipIf(!hasPromtool)("have panels whose queries are PromQL", () => {
    const file = join(scratch, "panels.yml");
    const recorded = queries().map((query, i) => ({
      record: `panel_${i}`,
      expr: query
        .replaceAll("$__rate_interval", "1m")
        .replaceAll("$__range", "1h")
        .replaceAll(/\$(scheduler|queue)\b/g, ".+"),
    }));
    expect(recorded.length).toBeGreaterThan(20);
    writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules: recorded }] }));
    expect(run("promtool", "check", "rules", file)).toContain(`${recorded.length} rules found`);
  });
});

describe("units, images and manifests", () => {
  const flagsOf = (table: OptionTable): readonly string[] =>
    Object.values(table).map(({ name }) => `--${name}`);
  const known = { scheduler: flagsOf(SCHEDULER_OPTIONS), agent: flagsOf(AGENT_OPTIONS) };

  /** Flags of a command line that the daemon it starts does not have. */
  function strangeFlags(words: readonly string[]): readonly (string | undefined)[] {
    const daemon = words.find((word) => word === "scheduler" || word === "agent");
    if (daemon === undefined) throw new Error(`no daemon in ${words.join(" ")}`);
    const flags = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]);
    return flags.filter((flag) => !known[daemon].includes(flag ?? ""));
  }

  test.each(["scheduler", "agent"])("the unit of the %s gives options that exist", (daemon) => {
    const unit = read(`systemd/trainyard-${daemon}.service`);
    const [, command = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    expect(strangeFlags(command.split(" ").slice(1))).toEqual([]);
  });

  test.each(["scheduler", "agent"])("the manifest of the %s gives options that exist", (daemon) => {
    const documents = parseAllDocuments(read(`kubernetes/${daemon}.yaml`));
    expect(documents.flatMap((document) => document.errors)).toEqual([]);
    const text = JSON.stringify(documents.map((document) => document.toJS() as unknown));
    const [, list = "[]"] = /"args":(\[[^\]]*\])/.exec(text) ?? [];
    expect(strangeFlags(JSON.parse(list) as string[])).toEqual([]);
  });

  test("the images start the daemons with options that exist", () => {
    const commands = [...read("docker/Dockerfile").matchAll(/^CMD (\[.*\])$/gm)];
    expect(commands).toHaveLength(2);
    for (const [, list = "[]"] of commands)
      expect(strangeFlags(JSON.parse(list) as string[])).toEqual([]);
  });

  test("an agent's restart leaves its tasks alone", () => {
    const unit = read("systemd/trainyard-agent.service");
    expect(unit).toMatch(/^KillMode=process$/m);
    expect(unit).toMatch(/^Delegate=yes$/m);
  });

  test.skipIf(!hasSystemd)("systemd finds the units sound", () => {
    const units = readdirSync(join(DEPLOY, "systemd")).map((name) => {
      // The program is not installed where the test runs.
      const text = read(`systemd/${name}`).replace("/usr/local/bin/trainyard", "/bin/true");
      writeFileSync(join(scratch, name), text);
      return join(scratch, name);
    });
    expect(run("systemd-analyze", "verify", ...units)).toBe("");
  });
});
