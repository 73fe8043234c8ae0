// Settles every option of a table from layers of settings: the first layer that names it wins.

import type { Host } from "./host.ts";
import type { Option, OptionTable, OptionValues, RawValue, Section } from "./option.ts";
import { environmentName } from "./option.ts";
import type { Problem } from "./problem.ts";
import { problemsError } from "./problem.ts";

/** A raw value and where it was written: `--lease`, `TRAINYARD_SERVER`, `config.yaml:3:3`. */
export interface Setting {
  readonly raw: RawValue;
  readonly where: string;
}

export interface Layer {
  lookup(option: Option<unknown>): Setting | null;
}

export interface Resolved<Table extends OptionTable> {
  readonly values: OptionValues<Table>;
  /** By key: where the value came from; `default` when nobody set it. */
  readonly origins: Readonly<Record<keyof Table & string, string>>;
}

export const DEFAULT_ORIGIN = "default";

/** @throws RefusalError with INVALID_OPTION, naming every value that is wrong. */
export function resolveOptions<Table extends OptionTable>(
  table: Table,
  layers: readonly Layer[],
  host: Host,
): Resolved<Table> {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [key, option] of Object.entries(table)) {
    const setting = firstSetting(option, layers);
    origins[key] = setting?.where ?? DEFAULT_ORIGIN;
    if (setting === null) {
      values[key] = option.fallback(host);
      continue;
    }
    const result = option.kind.parse(setting.raw, host);
    if (result.ok) values[key] = result.value;
    else problems.push({ where: setting.where, path: option.name, message: result.problem });
  }
  if (problems.length > 0) {
    throw problemsError("INVALID_OPTION", problems, "Correct the value, or leave the option out.");
  }
  return decodeResolved<Table>(values, origins);
}

/** The loop above set every key of the table to a value of that key's kind. */
function decodeResolved<Table extends OptionTable>(
  values: object,
  origins: object,
): Resolved<Table> {
  return { values, origins } as Resolved<Table>;
}

function firstSetting(option: Option<unknown>, layers: readonly Layer[]): Setting | null {
  for (const layer of layers) {
    const setting = layer.lookup(option);
    if (setting !== null) return setting;
  }
  return null;
}

/** Flags as the command line gave them, by option name. */
export function flagLayer(flags: ReadonlyMap<string, RawValue>): Layer {
  return {
    lookup: ({ name }) => {
      const raw = flags.get(name);
      return raw === undefined ? null : { raw, where: `--${name}` };
    },
  };
}

/** An empty variable counts as unset, as most shells' users expect. */
export function environmentLayer(section: Section, env: Host["env"]): Layer {
  return {
    lookup: (option) => {
      const variable = environmentName(section, option);
      const raw = env[variable];
      return raw === undefined || raw === "" ? null : { raw, where: variable };
    },
  };
}
