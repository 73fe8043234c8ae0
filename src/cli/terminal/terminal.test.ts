import { describe, expect, it } from "vitest";
import { sparkline } from "./sparkline.ts";
import { createStyle, wantsColour } from "./style.ts";
import type { Column } from "./table.ts";
import { renderTable } from "./table.ts";
import { displayWidth, printable, truncate, truncateStart, wrap } from "./width.ts";

describe("width", () => {
  it.each([
    ["abc", 3],
    ["héllo", 5],
    ["e\u0301", 1],
    ["模型", 4],
    ["🚀x", 3],
    ["", 0],
  ])("%s takes %d cells", (text, cells) => {
    expect(displayWidth(text)).toBe(cells);
  });

  it("cuts by cells, not by characters", () => {
    expect([
      truncate("abcdef", 4),
      truncate("模型训练", 5),
      truncate("ab", 2),
      truncate("ab", 1),
    ]).toEqual(["abc…", "模型…", "ab", "…"]);
  });

  it("control characters never reach the terminal", () => {
    expect(printable("a\u001B[31mb\nc\u009Bd")).toBe("a [31mb c d");
  });
});

describe("tables", () => {
  interface Row {
    readonly id: string;
    readonly name: string;
    readonly why: string;
  }
  const columns: readonly Column<Row>[] = [
    { title: "ID", cell: (row) => row.id, isRight: true },
    { title: "NAME", cell: (row) => row.name, shrinkTo: 6 },
    { title: "WHY", cell: (row) => row.why, shrinkTo: 8, dropRank: 1 },
    { title: "MORE", cell: () => "more", isWide: true },
  ];
  const rows: readonly Row[] = [
    { id: "1", name: "a-rather-long-name", why: "waits for GPUs that others have" },
    { id: "12", name: "b", why: "" },
  ];
  const draw = (width: number, isWide = false): string =>
    renderTable(rows, columns, { width, isWide, paintTitle: (text) => text });

  it("nothing is cut without a terminal", () => {
    expect(draw(Number.POSITIVE_INFINITY, true)).toBe(
      "ID  NAME                WHY                              MORE\n" +
        " 1  a-rather-long-name  waits for GPUs that others have  more\n" +
        "12  b                                                    more\n",
    );
  });

  it("the widest flexible columns shrink first", () => {
    expect(draw(40)).toBe(
      "ID  NAME               WHY\n" + " 1  a-rather-long-na…  waits for GPUs t…\n" + "12  b\n",
    );
  });

  it("then the least important one goes", () => {
    expect(draw(16)).toBe("ID  NAME\n 1  a-rather-lo…\n12  b\n");
  });

  it("a wrapped last column goes on below, and loses nothing", () => {
    const wrapped = columns.slice(0, 3).map((column) => ({ ...column, isWrapped: true }));
    const options = { width: 30, isWide: false, paintTitle: (text: string) => text };
    expect(renderTable(rows, wrapped, options)).toBe(
      "ID  NAME          WHY\n" +
        " 1  a-rather-lo…  waits for\n" +
        "                  GPUs that\n" +
        "                  others have\n" +
        "12  b\n",
    );
  });

  it("a word that is wider than its column is broken", () => {
    expect(wrap("ab cdefgh i", 4)).toEqual(["ab", "cdef", "gh i"]);
  });

  it.each([20, 40, 80, 120])("no line is wider than %d cells", (width) => {
    for (const line of draw(width, true).split("\n")) {
      expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });
});

describe("colour", () => {
  const tty = { isTTY: true };
  it.each([
    ["a terminal has it", {}, tty, false, true],
    ["a pipe does not", {}, {}, false, false],
    ["NO_COLOR takes it", { NO_COLOR: "1" }, tty, false, false],
    ["an empty NO_COLOR means nothing", { NO_COLOR: "" }, tty, false, true],
    ["FORCE_COLOR gives it to pipes", { FORCE_COLOR: "1" }, {}, false, true],
    ["FORCE_COLOR=0 takes it", { FORCE_COLOR: "0" }, tty, false, false],
    ["NO_COLOR beats FORCE_COLOR", { NO_COLOR: "1", FORCE_COLOR: "1" }, tty, false, false],
    ["a dumb terminal does not", { TERM: "dumb" }, tty, false, false],
    ["--no-color beats FORCE_COLOR", { FORCE_COLOR: "1" }, tty, true, false],
  ])("%s", (_rule, env, stream, isRefused, expected) => {
    expect(wantsColour({ env, stream, isRefused })).toBe(expected);
  });

  it("without colour, text stays as it is", () => {
    expect(createStyle(false).phase("FAILED")).toBe("FAILED");
    expect(createStyle(true).phase("FAILED  ")).toBe("\u001B[31mFAILED  \u001B[39m");
  });
});

describe("sparklines", () => {
  it("go from low to high", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe("▁▂▃▄▅▆▇█");
  });
  it("average what does not fit, and leave out what is no number", () => {
    expect(sparkline([0, 0, Number.NaN, 7, 7], 2)).toBe("▁█");
  });
  it("a constant is a flat line, nothing is nothing", () => {
    expect([sparkline([3, 3], 9), sparkline([], 9)]).toEqual(["▄▄", ""]);
  });
});

it("a path is cut in front: its end says more", () => {
  const cut = ["research/vision", "模型/训练"].map((text) => truncateStart(text, 8));
  expect(cut).toEqual(["…/vision", "…型/训练"]);
  expect([truncateStart("ab", 2), truncateStart("ab", 1)]).toEqual(["ab", "…"]);
});
