// `trainyard config view`: every option, its value, and where that comes from.

import { choice, flag } from "../../config/kinds.ts";
import type { Section } from "../../config/option.ts";
import { option } from "../../config/option.ts";
import { resolveOptions } from "../../config/resolve.ts";
import { OPTION_TABLES } from "../../config/tables.ts";
import type { Invocation } from "../command.ts";
import { defineCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { usageError } from "../failure.ts";
import type { Style } from "../terminal/style.ts";
import type { Column } from "../terminal/table.ts";

interface OptionView {
  readonly section: Section;
  readonly key: string;
  readonly value: string;
  readonly origin: string;
}

const SECTIONS = ["client", "scheduler", "agent", "up"] as const;

const FLAGS = {
  showOrigin: option(flag(), {
    name: "show-origin",
    help: "Also where each value comes from: flag, variable, file and line, or default.",
    fallback: false,
  }),
} as const;

export const configView = defineCommand({
  name: "view",
  summary: "Show every option and its value",
  operands: [{ name: "section", help: `One of ${SECTIONS.join(", ")}.`, isRequired: false }],
  flags: FLAGS,
  examples: [
    { command: "trainyard config view client --show-origin", says: "why it talks to that server" },
    { command: "trainyard config view scheduler", says: "what a scheduler started here would use" },
  ],
  run: async (call) => {
    const items = (await Promise.all(sectionsOf(call).map((one) => views(call, one)))).flat();
    call.print.list({
      kind: "OptionList",
      items,
      columns: (style) => columns(style, call.flags.showOrigin),
      nameOf: (item) => `${item.section}.${item.key}`,
      whenEmpty: "",
    });
    return EXIT.ok;
  },
});

function sectionsOf({ operands, io }: Invocation<typeof FLAGS>): readonly Section[] {
  const [word] = operands;
  if (word === undefined) return SECTIONS;
  const result = choice(SECTIONS).parse(word, io.host);
  if (result.ok) return [result.value];
  throw usageError(result.problem, `Write one of ${SECTIONS.join(", ")}.`, "section");
}

async function views(call: Invocation<typeof FLAGS>, section: Section): Promise<OptionView[]> {
  const table = OPTION_TABLES[section];
  const resolved = resolveOptions(table, await call.layers(section), call.io.host);
  return Object.entries(table).map(([key, one]) => ({
    section,
    key: one.name,
    value: one.kind.format(resolved.values[key]),
    origin: resolved.origins[key] ?? "",
  }));
}

function columns(style: Style, hasOrigin: boolean): readonly Column<OptionView>[] {
  return [
    { title: "SECTION", cell: (one) => one.section, paint: style.dim },
    { title: "KEY", cell: (one) => one.key },
    { title: "VALUE", cell: (one) => (one.value === "" ? "-" : one.value), shrinkTo: 16 },
    {
      title: "ORIGIN",
      cell: (one) => one.origin,
      isWide: !hasOrigin,
      shrinkTo: 12,
      paint: (text, one) => (one.origin === "default" ? style.dim(text) : style.accent(text)),
    },
  ];
}
