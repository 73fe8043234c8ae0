// How an object store is named: one URL, validated once, that the scheduler hands to its agents.
// Secrets never go in it; S3 credentials come from the AWS chain (environment, files, instance).

import { type Refusal, refuse } from "../base/errors.ts";

export type ObjectStoreUrl = FolderUrl | S3Url;

export interface FolderUrl {
  readonly kind: "folder";
  /** Absolute. */
  readonly path: string;
}

export interface S3Url {
  readonly kind: "s3";
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  /** Null = AWS itself. */
  readonly endpoint: string | null;
  /** Null = from the environment (`AWS_REGION`) or the AWS configuration files. */
  readonly region: string | null;
  /**
   * Whether to send CRC32 headers that not every S3-compatible store knows. Default
   * `when_supported` for AWS, `when_required` with an endpoint.
   */
  readonly checksums: "when_supported" | "when_required";
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: with an endpoint. */
  readonly isPathStyle: boolean;
  /** Transfers at once, each with one part in memory. Default 4, at most 64. */
  readonly parallel: number;
}

const PARAMETERS = ["endpoint", "region", "checksums", "path_style", "parallel"] as const;
const EXAMPLES =
  "Examples: file:///srv/trainyard, s3://bucket/prefix?endpoint=https://s3.example.org";
const PARALLEL_MAX = 64;

export function parseObjectStoreUrl(text: string): ObjectStoreUrl | Refusal {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    const why = error instanceof TypeError ? "is not a URL" : "cannot be read";
    return no("", `The object store ${JSON.stringify(text)} ${why}.`, EXAMPLES);
  }
  if (url.username !== "" || url.password !== "") {
    const remedy = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile or role.";
    return no("", "The object store's URL must not hold credentials.", remedy);
  }
  switch (url.protocol) {
    case "file:":
      return parseFolder(url);
    case "s3:":
      return parseS3(url);
    default:
      return no("", `The object store's scheme ${url.protocol} is not known.`, EXAMPLES);
  }
}

function parseFolder(url: URL): FolderUrl | Refusal {
  if (url.host !== "") {
    const remedy = `Write an absolute path after three slashes: file:///${url.host}${url.pathname}`;
    return no("", `The object store's path must be absolute: ${url.href}`, remedy);
  }
  const unknown = [...url.searchParams.keys()][0];
  if (unknown !== undefined) {
    return no(unknown, `A folder as object store takes no parameter ${unknown}.`, "Leave it out.");
  }
  let path: string;
  try {
    path = decodeURIComponent(url.pathname).replace(/\/+$/, "");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return no("", `The object store's path ${url.pathname} cannot be read: ${why}`, EXAMPLES);
  }
  if (path === "" || path.includes("\0")) {
    return no("", "The object store cannot be the root folder.", EXAMPLES);
  }
  return { kind: "folder", path };
}

function parseS3(url: URL): S3Url | Refusal {
  const given = readParameters(url);
  if ("kind" in given) return given;
  const bucket = url.host;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    const remedy = "3 to 63 lower-case letters, digits, dots and hyphens.";
    return no("bucket", `The bucket name ${JSON.stringify(bucket)} is not valid.`, remedy);
  }
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "");
  if (prefix !== "" && !/^[A-Za-z0-9_.=+@-]+(\/[A-Za-z0-9_.=+@-]+)*$/.test(prefix)) {
    const remedy = "Use letters, digits and . _ - = + @ between single slashes.";
    return no("prefix", `The prefix ${JSON.stringify(prefix)} is not valid.`, remedy);
  }
  return checkS3({ bucket, prefix: prefix === "" ? "" : `${prefix}/` }, given.values);
}

type Parameter = (typeof PARAMETERS)[number];
type Values = Partial<Record<Parameter, string>>;

function readParameters(url: URL): { readonly values: Values } | Refusal {
  const values: Values = {};
  for (const [name, value] of url.searchParams) {
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined) {
      const remedy = `Known ones: ${PARAMETERS.join(", ")}.`;
      return no(name, `The object store's URL has an unknown parameter ${name}.`, remedy);
    }
    values[known] = value;
  }
  return { values };
}

function checkS3(base: Pick<S3Url, "bucket" | "prefix">, values: Values): S3Url | Refusal {
  const { endpoint, region, checksums, path_style: pathStyle, parallel } = values;
  if (endpoint !== undefined && !/^https?:\/\/[^/?#@]+\/?$/.test(endpoint)) {
    const remedy = "Give scheme, host and port only: endpoint=https://s3.example.org:9000";
    return no("endpoint", `The endpoint ${JSON.stringify(endpoint)} is not valid.`, remedy);
  }
  if (region !== undefined && !/^[a-z0-9-]{1,40}$/.test(region)) {
    const message = `The region ${JSON.stringify(region)} is not valid.`;
    return no("region", message, "Give one like eu-central-1.");
  }
  const hasEndpoint = endpoint !== undefined;
  const checked = oneOf(checksums, ["when_supported", "when_required"] as const);
  if (checked === "bad") return notOneOf("checksums", checksums, "when_supported or when_required");
  const style = oneOf(pathStyle, ["true", "false"] as const);
  if (style === "bad") return notOneOf("path_style", pathStyle, "true or false");
  const transfers = parallel === undefined ? 4 : /^\d{1,3}$/.test(parallel) ? Number(parallel) : 0;
  if (transfers < 1 || transfers > PARALLEL_MAX) {
    return notOneOf("parallel", parallel, `a whole number from 1 to ${PARALLEL_MAX}`);
  }
  return {
    kind: "s3",
    ...base,
    endpoint: endpoint === undefined ? null : endpoint.replace(/\/$/, ""),
    region: region ?? (hasEndpoint ? "us-east-1" : null),
    checksums: checked ?? (hasEndpoint ? "when_required" : "when_supported"),
    isPathStyle: style === null ? hasEndpoint : style === "true",
    parallel: transfers,
  };
}

/** The choice made, null when none was, `bad` when it is not among them. */
function oneOf<T extends string>(
  value: string | undefined,
  choices: readonly T[],
): T | null | "bad" {
  if (value === undefined) return null;
  return choices.find((choice) => choice === value) ?? "bad";
}

function notOneOf(parameter: Parameter, value: string | undefined, choices: string): Refusal {
  return no(parameter, `${parameter}=${value ?? ""} is not valid.`, `Give ${choices}.`);
}

function no(parameter: string, message: string, remedy: string): Refusal {
  const field = parameter === "" ? "objectStore" : `objectStore.${parameter}`;
  return refuse("INVALID_OPTION", message, remedy, field);
}
