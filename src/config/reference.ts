// The reference of all options as Markdown, made from the tables: it cannot say anything else than
// the program does.

import type { Host } from "./host.ts";
import type { Option, OptionTable, Section } from "./option.ts";
import { environmentName } from "./option.ts";
import { OPTION_TABLES } from "./tables.ts";

const TITLES: Readonly<Record<Section, string>> = {
  client: "Every command that talks to a scheduler",
  scheduler: "`trainyard scheduler`",
  agent: "`trainyard agent`",
  up: "`trainyard up`",
};

const INTRODUCTION = `# Options

<!-- Generated from src/config. Do not edit: run the unit tests with \`-u\` after a change. -->

Where a value comes from, the first that has one:

1. the flag
2. the environment variable
3. \`.trainyard.yaml\` in the working directory or the nearest folder above it
4. \`$XDG_CONFIG_HOME/trainyard/config.yaml\` (else \`~/.config/trainyard/config.yaml\`)
5. \`/etc/trainyard/*.yaml\`; of two files with the same key, the later name wins
6. the default

\`trainyard config view --show-origin\` shows each value with its source. A file has a section for each table
below, and may name contexts, groups of client settings of which one is chosen by \`--context\`,
\`TRAINYARD_CONTEXT\` or \`current-context\`:

\`\`\`yaml
client:
  tenant: research
scheduler:
  lease: 30s
contexts:
  prod:
    server: scheduler.prod.example:7070
    ca: /etc/trainyard/ca.pem
current-context: prod
\`\`\`
`;

export function renderOptionsReference(): string {
  const sections = Object.entries(OPTION_TABLES).map(([section, table]) =>
    renderSection(decodeSection(section), table),
  );
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

/** \`Object.entries\` forgets the key type of the record. */
function decodeSection(section: string): Section {
  return section as Section;
}

function renderSection(section: Section, table: OptionTable): string {
  const rows = Object.values(table).map((option) => renderRow(section, option));
  return [
    `## ${TITLES[section]} (section \`${section}\`)`,
    "",
    "| flag and key | environment | accepts | default | meaning |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function renderRow(section: Section, option: Option<unknown>): string {
  const flags = option.short === "" ? "" : `\`-${option.short}\`, `;
  const cells = [
    `${flags}\`--${option.name}\``,
    `\`${environmentName(section, option)}\``,
    option.kind.accepts,
    defaultText(option),
    option.help,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** Nothing here depends on the machine that generates the reference. */
const NOBODY: Host = {
  env: {},
  cwd: "/",
  home: "/",
  hostName: "host",
  userName: "user",
  isRoot: false,
  systemConfigDir: "/etc/trainyard",
};

/** The default as it stands in help and reference; empty when there is nothing to say. */
export function defaultText(option: Option<unknown>): string {
  if (option.fallbackText !== "") return option.fallbackText;
  return option.kind.format(option.fallback(NOBODY));
}
