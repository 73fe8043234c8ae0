// `trainyard __complete -- WORDS`: what the completion scripts ask. Says nothing rather than an
// error, and never makes a shell wait for long.

import { contextNames, readConfigFiles } from "../../config/files.ts";
import { defineCommand } from "../command.ts";
import type { Invocation } from "../command.ts";
import type { LiveNames, Suggestion } from "../completions.ts";
import { suggest } from "../completions.ts";
import { EXIT } from "../exit-codes.ts";
import { printable } from "../terminal/width.ts";

const WAIT_MAX_MS = 800;
const NAMES_MAX = 100;

export const complete = defineCommand({
  name: "__complete",
  summary: "Print completions of the words after `--`",
  operands: [],
  rest: "words...",
  flags: {},
  examples: [{ command: "trainyard __complete -- logs ''", says: "jobs whose output can be read" }],
  run: async (call) => {
    const suggestions = await suggest(call.registry, call.rest, liveNames(call));
    if (typeof suggestions === "string") call.print.text(`:${suggestions}\n`);
    else call.print.text(suggestions.map(lineOf).join(""));
    return EXIT.ok;
  },
});

function lineOf({ word, says }: Suggestion): string {
  return says === "" ? `${printable(word)}\n` : `${printable(word)}\t${printable(says)}\n`;
}

function liveNames(call: Invocation<{}>): LiveNames {
  return async (what) => {
    const late = new Promise<readonly Suggestion[]>((resolve) => {
      setTimeout(() => resolve([]), WAIT_MAX_MS).unref();
    });
    // A cluster that does not answer has no names to offer.
    return Promise.race([late, fetchNames(call, what).catch(() => [])]);
  };
}

async function fetchNames(
  call: Invocation<{}>,
  what: "job" | "queue" | "node" | "context",
): Promise<readonly Suggestion[]> {
  if (what === "context") {
    const files = await readConfigFiles(call.io.host);
    return contextNames(files).map((word) => ({ word, says: "" }));
  }
  const cluster = await call.cluster();
  if (what === "queue") {
    const { queues } = await cluster.listQueues({});
    return queues.map(({ spec }) => ({ word: spec?.path ?? "", says: "" }));
  }
  if (what === "node") {
    const { nodes } = await cluster.listNodes({});
    return nodes.map(({ name, health }) => ({ word: name, says: health }));
  }
  const { jobs } = await cluster.listJobs({ includeEnded: true, page: { size: NAMES_MAX } });
  const ids = jobs.map(({ id, spec, phase }) => ({
    word: id,
    says: `${spec?.name ?? ""} ${phase}`,
  }));
  return [...ids, { word: "@last", says: "your newest job" }];
}
