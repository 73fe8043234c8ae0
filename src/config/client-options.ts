// Options of every command that talks to a scheduler.

import { address, choice, duration, flag, path, text } from "./kinds.ts";
import type { OptionValues } from "./option.ts";
import { option, optional } from "./option.ts";

export const OUTPUT_FORMATS = ["table", "wide", "json", "name"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const IDENTITY = {
  placeholder: "<name>",
  pattern: /^[A-Za-z0-9]([A-Za-z0-9._@-]{0,126}[A-Za-z0-9])?$/,
  accepts: "a name: letters, digits, `.`, `_`, `@`, `-`, at most 128",
} as const;

export const CLIENT_OPTIONS = {
  context: optional(text({ placeholder: "<name>", completion: "context" }), {
    name: "context",
    help: "Named group of settings in the configuration file, such as a cluster.",
  }),
  server: option(address({ isPortZeroAllowed: false }), {
    name: "server",
    help: "Address of the scheduler.",
    fallback: "127.0.0.1:7070",
  }),
  tls: option(flag(), {
    name: "tls",
    help: "Talk TLS, trusting the system's authorities.",
    fallback: false,
  }),
  ca: optional(path("file"), {
    name: "ca",
    help: "Talk TLS, trusting the authorities of this PEM file.",
  }),
  tenant: option(text(IDENTITY), {
    name: "tenant",
    help: "Team on whose behalf you act.",
    fallback: "default",
  }),
  user: option(text(IDENTITY), {
    name: "user",
    help: "Who you are.",
    fallback: (host) => host.userName,
    fallbackText: "your login name",
  }),
  project: optional(text({ placeholder: "<queue>", completion: "queue" }), {
    name: "project",
    help: "Queue for jobs that name none.",
  }),
  output: option(choice(OUTPUT_FORMATS), {
    name: "output",
    short: "o",
    help: "How to print: for people, with more columns, as JSON, or names only.",
    fallback: "table",
  }),
  timeoutMs: option(duration({ minMs: 100, maxMs: 3_600_000 }), {
    name: "timeout",
    help: "How long to wait for an answer of the scheduler.",
    fallback: 10_000,
  }),
} as const;

export type ClientOptions = OptionValues<typeof CLIENT_OPTIONS>;
