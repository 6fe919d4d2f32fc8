"""Style report pages."""

from __future__ import annotations

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --card: #fff; --ink: #1c1d22; --faint: #62646e; --line: #dfdfda;
  --t2v: #1c5fc4; --v2t: #b4540a; --chance: #8a8c94; --warn: #8a4b00; --warn-bg: #fff3dc;
  --good: #14713d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131418; --card: #1b1d23; --ink: #e8e8ea; --faint: #a0a3ad; --line: #33363f;
    --t2v: #77aaff; --v2t: #f2a25c; --chance: #8b8f9a; --warn: #ffcf87; --warn-bg: #3a2c12;
    --good: #72d49a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.15rem; margin: 40px 0 12px; }
h3 { font-size: .98rem; margin: 0 0 8px; }
p { margin: 0 0 10px; max-width: 72ch; }
.lead, .note, figcaption, dt { color: var(--faint); }
.note, figcaption { font-size: .88rem; margin: 8px 0 0; }
.warning {
  background: var(--warn-bg); color: var(--warn); border-left: 4px solid currentColor;
  padding: 10px 14px; margin: 12px 0; border-radius: 4px; font-weight: 600; max-width: none;
}
section { margin: 20px 0; }
.apart {
  border: 2px dashed var(--warn); border-radius: 8px; padding: 14px 16px;
}
.apart h3 { color: var(--warn); }
.apart td b { font-weight: 400; }
dl.facts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 12px 20px;
  background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 16px; margin: 16px 0;
}
dl.facts div { min-width: 0; }
dt { font-size: .8rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 8px 10px; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
.wrapped th:first-child { white-space: normal; }
thead th { color: var(--faint); font-weight: 600; font-size: .85rem; }
td b { font-size: 1.05rem; font-weight: 650; }
td small, th small { display: block; color: var(--faint); font-size: .75rem; white-space: nowrap;
  font-weight: 400; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr));
  gap: 16px; }
figure {
  margin: 0; min-width: 0; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: 14px 14px 12px;
}
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 12px; font-family: inherit; }
svg .tick { fill: var(--faint); } svg .title { fill: var(--faint); font-size: 12.5px; }
svg .grid { stroke: var(--line); } svg .axis { stroke: var(--faint); }
svg .curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
svg .t2v { stroke: var(--t2v); } svg .v2t { stroke: var(--v2t); stroke-dasharray: 7 3; }
svg .third { stroke: var(--good); stroke-dasharray: 2 3; }
svg .chance { stroke: var(--chance); stroke-dasharray: 2 4; }
svg .band, svg .bar { stroke: none; }
svg .band { opacity: .16; } svg .bar { opacity: .62; }
svg .band.t2v, svg .bar.t2v { fill: var(--t2v); } svg .band.v2t, svg .bar.v2t { fill: var(--v2t); }
svg .bar.chance { fill: var(--chance); } svg .whisker { stroke: var(--ink); stroke-width: 1.6; }
.failures { display: grid; gap: 16px; }
.failure { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 14px; min-width: 0; }
.failure h3 { overflow-wrap: anywhere; }
.failure ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 10px;
  grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); }
.failure li { font-size: .82rem; color: var(--faint); min-width: 0; overflow-wrap: anywhere; }
.failure li.right { color: var(--good); }
.failure img { display: block; width: 100%; aspect-ratio: 16 / 9; object-fit: contain;
  border-radius: 4px; background: var(--line); }
footer { margin-top: 48px; color: var(--faint); font-size: .85rem; }
@media (max-width: 520px) { th, td { padding: 7px 6px; } h1 { font-size: 1.35rem; } }
@media print { figure, .failure { break-inside: avoid; } }
"""
