// Names of presets against paths of files, and how a wrong one is refused.

import { type ErrorCode, RefusalError, refuse } from "../base/errors.ts";
import { nearest } from "../config/suggest.ts";

export function unknownName(
  what: string,
  name: string,
  names: readonly string[],
  path: string,
): RefusalError {
  const near = nearest(name, names);
  return refusal(
    "INVALID_OPTION",
    `No ${what} is called "${name}"${near === null ? "." : `, did you mean ${near}?`}`,
    `Name one of ${names.join(", ")}, or the path of a file such as ${path}.`,
  );
}

export function refusal(code: ErrorCode, message: string, remedy: string): RefusalError {
  return new RefusalError(refuse(code, message, remedy));
}
