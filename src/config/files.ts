// Finds and reads the configuration files, and turns them into layers. Which files, in order of
// precedence: `.trainyard.yaml` of the nearest folder upwards, the user's `config.yaml`, then
// `/etc/trainyard/*.yaml` (a later name wins, as in conf.d folders).

import { access, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RefusalError, refuse } from "../base/errors.ts";
import type { Host } from "./host.ts";
import { userConfigDir } from "./host.ts";
import type { OptionTable, Section } from "./option.ts";
import type { Problem } from "./problem.ts";
import { problemsError } from "./problem.ts";
import type { Layer, Setting } from "./resolve.ts";
import { environmentLayer, flagLayer } from "./resolve.ts";
import { suggestion } from "./suggest.ts";
import type { PathSegment, YamlFile } from "./yaml-file.ts";
import { readYamlFile } from "./yaml-file.ts";

export const PROJECT_FILE = ".trainyard.yaml";
const CODE = "INVALID_OPTION";
const SECTIONS: readonly Section[] = ["client", "scheduler", "agent", "up"];
const TOP_KEYS: readonly string[] = [...SECTIONS, "contexts", "current-context"];

export interface ConfigFile {
  readonly path: string;
  readonly isProject: boolean;
  readonly yaml: YamlFile;
}

/** The files that exist, highest precedence first. @throws RefusalError when one is wrong. */
export async function readConfigFiles(host: Host): Promise<readonly ConfigFile[]> {
  const project = await findUpwards(host.cwd);
  const user = await existing(join(userConfigDir(host), "config.yaml"));
  const system = await systemFiles(host.systemConfigDir);
  const paths = [project, user, ...system].filter((path) => path !== null);
  return Promise.all(
    paths.map(async (path) => ({
      path,
      isProject: path === project,
      yaml: await readYamlFile(path, { file: path, code: CODE }),
    })),
  );
}

async function findUpwards(start: string): Promise<string | null> {
  for (let folder = start; ; folder = dirname(folder)) {
    const found = await existing(join(folder, PROJECT_FILE));
    if (found !== null || folder === dirname(folder)) return found;
  }
}

async function existing(path: string): Promise<string | null> {
  return access(path).then(
    () => path,
    () => null,
  );
}

async function systemFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(".yaml")).sort();
  return files.reverse().map((name) => join(folder, name));
}

export interface LayerInputs {
  readonly section: Section;
  readonly flags: ReadonlyMap<string, unknown>;
  readonly host: Host;
  readonly files: readonly ConfigFile[];
  readonly tables: Readonly<Record<Section, OptionTable>>;
}

/** Flags, environment, files: highest precedence first. @throws RefusalError on unknown keys. */
export function configLayers(inputs: LayerInputs): readonly Layer[] {
  const { section, flags, host, files } = inputs;
  const problems = files.flatMap((file) => fileProblems(file, inputs.tables));
  if (problems.length > 0) {
    throw problemsError(CODE, problems, "Correct the file, or take the key out.");
  }
  const given = [flagLayer(flags), environmentLayer(section, host.env)];
  const sections = files.map((file) => sectionLayer(file, [section]));
  if (section !== "client") return [...given, ...sections];
  const context = chooseContext(inputs);
  if (context === null) return [...given, ...sections];
  const layer = contextLayer(context.name, files);
  // A context that was asked for by hand beats every file; a standing one only the general
  // settings.
  if (context.isExplicit) return [...given, layer, ...sections];
  const projectCount = files.filter((file) => file.isProject).length;
  return [...given, ...sections.slice(0, projectCount), layer, ...sections.slice(projectCount)];
}

function chooseContext(inputs: LayerInputs): { name: string; isExplicit: boolean } | null {
  const asked = inputs.flags.get("context") ?? inputs.host.env["TRAINYARD_CONTEXT"];
  if (typeof asked === "string" && asked !== "") return { name: asked, isExplicit: true };
  for (const { yaml } of inputs.files) {
    const name = child(yaml.value, "current-context");
    if (typeof name === "string") return { name, isExplicit: false };
  }
  return null;
}

function contextLayer(name: string, files: readonly ConfigFile[]): Layer {
  const file = files.find(({ yaml }) => isMap(child(child(yaml.value, "contexts"), name)));
  if (file !== undefined) return sectionLayer(file, ["contexts", name]);
  const known = contextNames(files);
  throw new RefusalError(
    refuse(
      CODE,
      `context ${JSON.stringify(name)} is not in any configuration file${suggestion(name, known)}.`,
      "`trainyard config view` shows the files that are read.",
      "context",
    ),
  );
}

export function contextNames(files: readonly ConfigFile[]): readonly string[] {
  return files.flatMap(({ yaml }) => {
    const contexts = child(yaml.value, "contexts");
    return isMap(contexts) ? Object.keys(contexts) : [];
  });
}

function sectionLayer(file: ConfigFile, path: readonly string[]): Layer {
  let section: unknown = file.yaml.value;
  for (const key of path) section = child(section, key);
  return {
    lookup: ({ name }): Setting | null => {
      const raw = child(section, name);
      if (raw === undefined || raw === null) return null;
      return { raw, where: file.yaml.where([...path, name]) };
    },
  };
}

function fileProblems(file: ConfigFile, tables: Readonly<Record<Section, OptionTable>>): Problem[] {
  const { value } = file.yaml;
  if (value === null || value === undefined) return [];
  const problems = keyProblems(file, [], TOP_KEYS);
  for (const section of SECTIONS)
    problems.push(...keyProblems(file, [section], names(tables[section])));
  const contexts = child(value, "contexts");
  for (const name of isMap(contexts) ? Object.keys(contexts) : []) {
    problems.push(...keyProblems(file, ["contexts", name], names(tables.client)));
  }
  return problems;
}

function names(table: OptionTable): readonly string[] {
  return Object.values(table).map((option) => option.name);
}

function keyProblems(
  file: ConfigFile,
  path: readonly string[],
  known: readonly string[],
): Problem[] {
  let node: unknown = file.yaml.value;
  for (const key of path) node = child(node, key);
  if (node === undefined || node === null) return [];
  const at = (extra: readonly PathSegment[], message: string): Problem => ({
    where: file.yaml.where([...path, ...extra]),
    path: [...path, ...extra].join("."),
    message,
  });
  if (!isMap(node)) return [at([], `expected a map of ${known.slice(0, 4).join(", ")} …`)];
  return Object.keys(node)
    .filter((key) => !known.includes(key))
    .map((key) => at([key], `unknown key${suggestion(key, known)}`));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function child(value: unknown, key: string): unknown {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
