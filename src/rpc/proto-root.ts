// What the proto files define. `npm run build` reads them and puts the result in this module's place:
// a built program reads no proto files and carries no parser for them.

import { join } from "node:path";
import protobuf from "protobufjs";
import { PROTO_FILES, PROTO_FOLDER } from "./proto-files.ts";

export function readProtoRoot(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => join(PROTO_FOLDER, target);
  return root.loadSync([...PROTO_FILES]);
}
