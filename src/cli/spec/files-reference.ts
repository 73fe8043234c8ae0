// The reference of the files that people write, as Markdown, made from the schemas that check them: it
// cannot say anything else than the program does.

import { z } from "zod";
import { policyWords } from "../../config/policy-words.ts";
import { DEFAULT_POLICY } from "../../scheduler/core/state.ts";
import type { Fields } from "../views/field-change.ts";
import { flatFields } from "../views/policy-view.ts";
import { EDITOR_SCHEMAS, type EditorSchema } from "./json-schema.ts";

const INTRODUCTION = `# Files

<!-- Generated from the schemas in src. Do not edit: run the unit tests with \`-u\` after a change. -->

What may stand in the YAML files that people write. \`NAME\` is any name, \`[]\` an entry of a list. Durations are
written like \`90s\`, \`30m\`, \`1h30m\` or \`7d\`, sizes like \`24GiB\` or \`24GB\`. Editors check a file whose first line is
\`# yaml-language-server: $schema=PATH\` with the path of its schema in [schemas/](../../schemas).
`;

const TEXTS: Readonly<Record<string, { readonly title: string; readonly what: string }>> = {
  "job.schema.json": {
    title: "A job",
    what: "`trainyard submit job.yaml`; `trainyard init` writes one with comments.",
  },
  "queues.schema.json": {
    title: "Queues",
    what: "`trainyard queue apply queues.yaml`. All of the tree is set, or none.",
  },
  "policy.schema.json": {
    title: "The scheduling policy",
    what: "`trainyard policy apply policy.yaml`; what it does not name gets its default. [What it does](../policy.md).",
  },
  "workload.schema.json": {
    title: "A made-up workload",
    what: "`trainyard simulate --workload workload.yaml`. [An example](../simulate.md).",
  },
  "cluster.schema.json": {
    title: "A cluster to simulate",
    what: "`trainyard simulate --cluster cluster.yaml`. [An example](../simulate.md).",
  },
};

export function renderFilesReference(): string {
  return [INTRODUCTION, ...Object.keys(TEXTS).map(renderFile)].join("\n");
}

function renderFile(file: string): string {
  const found = EDITOR_SCHEMAS.find((one) => one.file === file);
  const { title, what } = TEXTS[file] ?? { title: file, what: "" };
  const fields = found === undefined ? [] : fieldsOf(found);
  const defaults: Fields =
    file === "policy.schema.json" ? flatFields(policyWords(DEFAULT_POLICY)) : {};
  const rows = fields.map(({ path, meaning }) => {
    const told = defaults[path] === undefined ? "" : ` Default ${String(defaults[path])}.`;
    const text = /Default/.test(meaning) ? meaning : meaning + told;
    return `| \`${path}\` | ${text.replaceAll("|", "\\|")} |`;
  });
  return [`## ${title}`, "", what, "", "| field | meaning |", "|---|---|", ...rows, ""].join("\n");
}

interface Field {
  readonly path: string;
  readonly meaning: string;
}

/** As much of a JSON schema as tells what its fields are. */
interface Node {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly $ref?: string;
}

function fieldsOf({ schema }: EditorSchema): readonly Field[] {
  const root = z.toJSONSchema(schema, { target: "draft-7", io: "input" });
  const definitions = (root["definitions"] ?? {}) as Readonly<Record<string, Node>>;
  const seen = new Set<string>();
  const below = (node: Node, above: string): readonly Field[] => {
    if (node.$ref !== undefined) {
      // A queue has queues below it: told once.
      const name = node.$ref.replace("#/definitions/", "");
      if (seen.has(name)) return [];
      seen.add(name);
      return below(definitions[name] ?? {}, above);
    }
    const { properties = {}, additionalProperties, items, anyOf = [] } = node;
    const named = Object.entries(properties).flatMap(([name, one]) => {
      const path = above === "" ? name : `${above}.${name}`;
      return [...told(path, one), ...below(one, path)];
    });
    const any = typeof additionalProperties === "object" ? additionalProperties : null;
    return [
      ...named,
      ...(any === null ? [] : below(any, `${above}.NAME`)),
      ...(items === undefined ? [] : below(items, `${above}[]`)),
      ...anyOf.flatMap((one) => below(one, above)),
    ];
  };
  return onceEach(below(root as Node, ""));
}

/** What may be one or a list of them has the same fields either way. */
function onceEach(fields: readonly Field[]): readonly Field[] {
  const byPath = new Map<string, Field>();
  for (const field of fields) {
    const key = field.path.replaceAll("[]", "");
    if (field.meaning !== "" && !byPath.has(key)) byPath.set(key, field);
  }
  return [...byPath.values()];
}

function told(path: string, node: Node): readonly Field[] {
  const values = node.enum ?? node.items?.enum ?? [];
  const meaning = node.description ?? "";
  const isTold = values.every((value) => meaning.includes(value));
  const choice = values.length === 0 || isTold ? "" : ` One of ${values.join(", ")}.`;
  return [{ path, meaning: (meaning + choice).trim() }];
}
