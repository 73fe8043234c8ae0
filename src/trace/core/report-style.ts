// How the report looks: light and dark, one column of at most 1080 pixels, eight colours for series
// that people who see colours differently can tell apart.

export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f7f7f5; --card: #ffffff; --ink: #1d1d1b; --soft: #6b6a66; --hair: #e4e3df;
  --series-0: #2a78d6; --series-1: #d9632b; --series-2: #1a9e6f; --series-3: #7c4bc4;
  --series-4: #b98a00; --series-5: #d0477f; --series-6: #3d8fa6; --series-7: #7a7a72;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161615; --card: #1f1f1d; --ink: #f1f0ec; --soft: #a3a19a; --hair: #34342f;
    --series-0: #5b9ff0; --series-1: #f08a55; --series-2: #3fc48f; --series-3: #a98aea;
    --series-4: #d9ae3b; --series-5: #ec7fac; --series-6: #6dbdd1; --series-7: #9a9a90;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 1128px; margin: 0 auto; padding: 24px; }
header p { margin: 0 0 16px; color: var(--soft); }
h1 { margin: 0; font-size: 24px; line-height: 1.2; }
h2 { margin: 0 0 12px; font-size: 15px; }
h3 { margin: 0 0 4px; font-size: 13px; font-weight: 600; }
section {
  margin: 0 0 16px; padding: 16px 20px;
  background: var(--card); border: 1px solid var(--hair); border-radius: 8px;
}
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 0 3px 20px; text-align: right; white-space: nowrap; }
th:first-child { padding-left: 0; text-align: left; font-weight: 400; color: var(--soft); }
tr > :first-child { position: sticky; left: 0; background: var(--card); }
tbody + tbody tr:first-child th { padding-top: 20px; }
.tables, .wide { overflow-x: auto; }
.tables { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 20px 56px; }
.wide svg { min-width: 640px; }
th.group { color: var(--ink); font-weight: 600; }
tr + tr { border-top: 1px solid var(--hair); }
.legend {
  display: flex; flex-wrap: wrap; gap: 0 16px;
  margin: 0 0 4px; font-size: 12px; color: var(--soft);
}
.legend span { white-space: nowrap; }
i {
  display: inline-block; width: 10px; height: 10px; margin-right: 6px; border-radius: 2px;
  background: var(--own);
}
i.again { background: repeating-linear-gradient(90deg, var(--own) 0 4px, transparent 4px 6px); }
.halves, .small { display: grid; gap: 20px; }
.halves { grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }
.small { grid-template-columns: repeat(auto-fill, minmax(min(280px, 100%), 1fr)); }
figure { margin: 0; }
figcaption { font-size: 12px; color: var(--soft); }
figcaption b { color: var(--ink); }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--hair); }
.axis, .mark { stroke: var(--soft); }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.line.area { stroke-width: 1; }
.dashed { stroke-width: 1.5; stroke-dasharray: 4 3; }
.fill { opacity: 0.22; }
code { font-size: 12px; }
`;
