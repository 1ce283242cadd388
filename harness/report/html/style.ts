/** The page's style sheet. The Content-Security-Policy holds its hash: nothing else may style the page. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #f7f8f9; --card: #ffffff; --ink: #191d21; --quiet: #57606a; --rule: #dfe3e7; --soft: #eef1f4;
  --link: #0b5cad; --focus: #0b5cad;
  --good: #17663a; --good-tint: #e6f4ec; --good-solid: #2d9a5f;
  --bad: #a8201a; --bad-tint: #fcebe9; --bad-solid: #d64540;
  --open: #7a4f00; --open-tint: #fdf3dc; --open-solid: #c98a14;
  --quiet-tint: #eef0f2; --quiet-solid: #a3abb3;
  --s1: #1f6fd0; --s2: #b8560a; --s3: #0e8074; --s4: #8145b8; --s5: #c22f4e; --s6: #6a7009;
  --fault: #d6454038; --fault-edge: #d64540;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #0e1114; --card: #15191d; --ink: #e6e9ec; --quiet: #9da7b1; --rule: #2a3138; --soft: #1d2328;
    --link: #7db8f7; --focus: #7db8f7;
    --good: #6fd49b; --good-tint: #10271a; --good-solid: #3aa56b;
    --bad: #ff958d; --bad-tint: #321614; --bad-solid: #e0554e;
    --open: #f2c063; --open-tint: #2c210b; --open-solid: #d39a2b;
    --quiet-tint: #1f252a; --quiet-solid: #66717b;
    --s1: #6fb0ff; --s2: #ffa75c; --s3: #4dd0be; --s4: #c79bf5; --s5: #ff8298; --s6: #c8d052;
    --fault: #ff6b6440; --fault-edge: #e0554e;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, ul, ol, dl, dd, figure, fieldset, legend { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h2 { font-size: 1.3rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; margin-bottom: 0.9rem; }
h3 { font-size: 1.08rem; line-height: 1.35; font-weight: 650; }
h4 { font-size: 0.95rem; font-weight: 650; margin: 1.6rem 0 0.6rem; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
code { font-family: var(--mono); font-size: 0.86em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
summary { cursor: pointer; color: var(--link); width: fit-content; }
.quiet { color: var(--quiet); font-size: 0.87rem; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -4rem; background: var(--card); padding: 0.5rem 1rem; z-index: 2; }
.skip:focus { top: 0.5rem; }

.good { --tone: var(--good); --tint: var(--good-tint); --solid: var(--good-solid); }
.bad { --tone: var(--bad); --tint: var(--bad-tint); --solid: var(--bad-solid); }
.open { --tone: var(--open); --tint: var(--open-tint); --solid: var(--open-solid); }
.off { --tone: var(--quiet); --tint: var(--quiet-tint); --solid: var(--quiet-solid); }
strong.bad { color: var(--bad); }

.icon { width: 1.05em; height: 1.05em; flex: none; vertical-align: -0.16em; }
.icon circle { fill: var(--tint); stroke: var(--tone); stroke-width: 1; }
.icon path { fill: none; stroke: var(--tone); stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.badge {
  display: inline-flex; align-items: center; gap: 0.35em; padding: 0.08em 0.6em 0.08em 0.35em; border-radius: 1em;
  background: var(--tint); color: var(--tone); font-size: 0.85rem; font-weight: 600; white-space: nowrap;
}
.badge .icon circle { stroke: none; }

.verdict, .page, footer { max-width: 78rem; margin-inline: auto; padding-inline: 1.5rem; }
.verdict {
  display: grid; grid-template-columns: 1fr auto; gap: 1.4rem 2rem; align-items: center;
  padding-block: 2.6rem 1.6rem;
}
.band { background: var(--tint); border-top: 6px solid var(--solid); border-bottom: 1px solid var(--rule); }
.kicker { color: var(--quiet); font-size: 0.92rem; }
.verdict .kicker, .verdict dt, .score span, .tally p { color: color-mix(in srgb, var(--ink) 78%, var(--tint)); }
h1 { display: flex; align-items: center; gap: 0.3em; font-size: clamp(2.1rem, 5.5vw, 3.2rem); line-height: 1.1; letter-spacing: -0.025em; font-weight: 700; color: var(--tone); margin: 0.15rem 0 0.5rem; }
h1 .icon { width: 0.82em; height: 0.82em; }
h1 .icon circle { fill: var(--tone); }
h1 .icon path { stroke: var(--tint); }
.lead { font-size: 1.12rem; line-height: 1.5; max-width: 46rem; }
.scope { max-width: 52rem; margin-top: 0.7rem; font-size: 0.92rem; line-height: 1.45; color: color-mix(in srgb, var(--ink) 82%, var(--tint)); }
.scope li + li { margin-top: 0.15rem; }
.band a { color: inherit; }
.score { position: relative; width: 7.6rem; height: 7.6rem; }
.score svg { width: 100%; height: 100%; }
.score circle { fill: none; stroke-width: 7; }
.ring-track { stroke: color-mix(in srgb, var(--tone) 16%, transparent); }
.ring { stroke: var(--solid); }
.score span { position: absolute; inset: 0; display: grid; place-content: center; text-align: center; font-size: 0.78rem; line-height: 1.25; }
.score strong { display: block; font-size: 2rem; line-height: 1; font-weight: 700; color: var(--ink); font-variant-numeric: tabular-nums; }
.tally { grid-column: 1 / -1; }
.tally svg { display: block; width: 100%; height: 10px; border-radius: 5px; margin-bottom: 0.4rem; }
.part { fill: var(--solid); stroke: var(--paper); stroke-width: 1.5; }
.tally p { font-size: 0.9rem; }
.verdict .facts { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 0.4rem 2.2rem; }
.verdict .facts div { display: block; border: 0; padding: 0; }

.page { display: grid; grid-template-columns: minmax(0, 1fr); gap: 2rem; padding-block: 1.8rem 3rem; }
main > section { margin-bottom: 2.8rem; }
.contents { font-size: 0.9rem; }
.contents > ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.2rem; }
.contents ul ul { display: none; }
.contents a { display: inline-flex; gap: 0.4em; align-items: baseline; text-decoration: none; padding: 0.15rem 0; }
.contents a:hover { text-decoration: underline; }
.contents .icon { align-self: center; }
@media (min-width: 68rem) {
  .page { grid-template-columns: 14rem minmax(0, 1fr); gap: 3rem; }
  .contents { position: sticky; top: 1.5rem; align-self: start; max-height: calc(100vh - 3rem); overflow-y: auto; }
  .contents > ul { display: block; }
  .contents ul ul { display: block; margin: 0.1rem 0 0.3rem 0.2rem; font-family: var(--mono); font-size: 0.78rem; }
}

.banners p {
  background: var(--open-tint); color: var(--open); border: 1px solid var(--open-solid); border-left-width: 6px;
  border-radius: 6px; padding: 0.7rem 1rem; font-weight: 600; margin-bottom: 0.6rem;
}
.boxes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 0.8rem; }
.boxes > li { display: flex; gap: 0.8rem; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 0.85rem 1rem; font-size: 0.93rem; }
.boxes > li > .icon { width: 1.35rem; height: 1.35rem; margin-top: 0.1rem; }
.tick-box rect { fill: var(--tint); stroke: var(--tone); stroke-width: 1.3; }
.tick-box.open rect { fill: none; }
.boxes > li.bad { border-color: var(--solid); }
.box-title { font-weight: 600; margin-bottom: 0.15rem; }
.boxes .quiet { margin-top: 0.25rem; }

.prose { max-width: 52rem; list-style: disc; padding-left: 1.2rem; }
.prose li { margin-bottom: 0.35rem; }
.prose li::marker { color: var(--quiet); }

.filter { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem; border: 0; margin-bottom: 0.9rem; }
.filter legend { float: left; margin-right: 0.4rem; color: var(--quiet); font-size: 0.9rem; }
.filter label { position: relative; }
.filter input { position: absolute; inset: 0; opacity: 0; margin: 0; width: 100%; height: 100%; cursor: pointer; }
.filter span { display: block; padding: 0.25rem 0.85rem; border: 1px solid var(--rule); border-radius: 1.2rem; background: var(--card); font-size: 0.88rem; }
.filter input:checked + span { background: var(--ink); color: var(--paper); border-color: var(--ink); }
.filter input:focus-visible + span { outline: 3px solid var(--focus); outline-offset: 2px; }
#checklist:has(#show-fail:checked) [data-verdict]:not([data-verdict="fail"]),
#checklist:has(#show-unknown:checked) [data-verdict]:not([data-verdict="unknown"]),
#checklist:has(#show-pass:checked) [data-verdict]:not([data-verdict="pass"]),
#checklist:has(#show-not-applicable:checked) [data-verdict]:not([data-verdict="not-applicable"]) { display: none; }

table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 0.75rem; border-bottom: 1px solid var(--rule); }
thead th { color: var(--quiet); font-weight: 600; font-size: 0.8rem; vertical-align: bottom; border-bottom-color: var(--quiet-solid); }
.figures { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scrolls { overflow-x: auto; margin: 1.2rem 0; position: relative; }
.scrolls table { width: auto; min-width: min(100%, 30rem); }
.scrolls th, .scrolls td { overflow-wrap: normal; padding: 0.38rem 0.6rem; }
.scrolls tbody th, .scrolls td:not(:last-child), caption { white-space: nowrap; }
.scrolls thead .figures { white-space: normal; }
.scrolls tbody th { font-weight: 500; }
.scrolls thead th:first-child, .scrolls tbody th { padding-left: 0.25rem; }
.under { display: block; color: var(--quiet); font-weight: 400; font-size: 0.92em; }
caption { text-align: left; font-weight: 600; font-size: 0.9rem; padding-bottom: 0.35rem; }
.checklist { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; border-collapse: separate; border-spacing: 0; }
.checklist tbody tr:last-child > * { border-bottom: 0; }
.checklist th[scope="row"] { font-weight: 600; width: 30%; }
.checklist th[scope="row"] code { display: block; font-weight: 400; color: var(--quiet); margin-top: 0.1rem; }
.checklist td:first-child { width: 9.5rem; }
.checklist tr:target > * { background: var(--soft); }
.severity { display: block; color: var(--quiet); font-size: 0.8rem; margin: 0.15rem 0 0 0.35rem; }
.checklist details, .checklist td .quiet { margin-top: 0.3rem; font-size: 0.86rem; }
.advice-list { margin-top: 0.5rem; }
.advice-list div { display: grid; grid-template-columns: 4.2rem 1fr; margin-bottom: 0.3rem; }
.advice-list dt { color: var(--quiet); }
.command span { display: inline-block; max-width: 100%; }
.command { display: inline-block; background: var(--soft); border: 1px solid var(--rule); border-radius: 5px; padding: 0.15rem 0.5rem; user-select: all; }
@media (max-width: 46rem) {
  .checklist, .checklist tbody, .checklist tr, .checklist td, .checklist th[scope="row"] { display: block; width: auto; }
  .checklist thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .checklist tr { padding: 0.9rem 1rem; border-bottom: 1px solid var(--rule); }
  .checklist tbody tr:last-child { border-bottom: 0; }
  .checklist td, .checklist th[scope="row"], .checklist td:first-child { border: 0; padding: 0.15rem 0; width: auto; }
  .checklist td:first-child { display: flex; align-items: center; gap: 0.6rem; }
  .severity { margin: 0; }
}

.card { background: var(--card); border: 1px solid var(--rule); border-left: 5px solid var(--solid); border-radius: 8px; padding: 1.3rem 1.5rem 1.5rem; margin-bottom: 1.4rem; }
.card header { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0.3rem 1.5rem; align-items: baseline; margin-bottom: 0.5rem; }
.meta { display: flex; flex-wrap: wrap; gap: 0.2rem 0.9rem; align-items: center; color: var(--quiet); font-size: 0.87rem; }
.because { font-size: 1.02rem; max-width: 52rem; margin-bottom: 0.3rem; }
.card > .quiet { max-width: 52rem; }
.bullets { list-style: disc; padding-left: 1.1rem; }
.bullets li { margin-bottom: 0.2rem; }
.bullets li::marker { color: var(--quiet); }
.checks .bullets { font-size: 0.9rem; margin-top: 0.3rem; }
.plain li { margin-bottom: 0.3rem; font-size: 0.92rem; }
.advice { background: var(--soft); border-radius: 6px; padding: 0.6rem 0.9rem; margin-top: 1.2rem; max-width: 52rem; }

.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); background: var(--card); border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; margin: 1.3rem 0; }
.tiles div { display: flex; flex-direction: column-reverse; justify-content: flex-end; background: var(--card); padding: 0.6rem 0.85rem; outline: 1px solid var(--rule); }
.tiles dd { font-size: 1.3rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles dt { font-size: 0.8rem; color: var(--quiet); line-height: 1.3; }
.tiles .bad dd, .tiles .open dd, .tiles .good dd { color: var(--tone); }
.tiles .bad { background: var(--tint); }

.checks > li { border-top: 1px solid var(--rule); padding: 0.75rem 0; font-size: 0.93rem; }
.checks > li:last-child { padding-bottom: 0; }
.check-title { display: flex; gap: 0.5rem; align-items: baseline; }
.check-title .icon { align-self: flex-start; margin-top: 0.22em; }
.checks > li > :not(.check-title) { margin-left: 1.55rem; }
.check-facts { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1.1rem; font-size: 0.87rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
.check-facts code { overflow-wrap: anywhere; }
.check-facts strong { color: var(--ink); }
.gauge { width: 9rem; height: 14px; }
.gauge .track { fill: var(--soft); }
.gauge .value { fill: var(--solid); }
.gauge .limit { stroke: var(--ink); stroke-width: 2; }
.checks details { font-size: 0.87rem; margin-top: 0.15rem; }
.evidence { margin-top: 0.35rem; border-left: 2px solid var(--rule); padding-left: 0.8rem; }
.evidence li { padding: 0.12rem 0; line-height: 1.45; }
.evidence code { white-space: pre-wrap; }

figure { margin: 1.4rem 0; }
figcaption { font-weight: 600; font-size: 0.9rem; margin-bottom: 0.4rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0.5rem 2rem; }
.plots figure { margin: 0.8rem 0; min-width: 0; display: flex; flex-direction: column; }
.plots .drawing { margin-top: auto; }
.drawing { --gutter: 3.6rem; display: grid; grid-template-columns: var(--gutter) minmax(0, 1fr); font-size: 0.75rem; color: var(--quiet); max-width: 60rem; }
.drawing svg { display: block; }
.y-label { grid-column: 1 / -1; margin-bottom: 0.45rem; }
.x-label { grid-column: 2; text-align: right; }
.y-axis { width: calc(100% - 0.5rem); height: 11rem; overflow: visible; }
.y-axis text { text-anchor: end; }
.field { width: 100%; height: 11rem; overflow: visible; }
.x-axis { grid-column: 2; width: 100%; height: 1.6em; overflow: visible; }
.y-axis text, .x-axis text { fill: var(--quiet); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--rule); stroke-width: 1; }
.mark { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 3; }
.field .fault { fill: var(--fault); }
.line { fill: none; stroke: var(--colour); stroke-width: 1.9; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.fill { fill: var(--colour); opacity: 0.13; }
.dot { fill: var(--colour); stroke: var(--card); stroke-width: 1.5; }
.dash1 { stroke-dasharray: 6 4; }
.dash2 { stroke-dasharray: 1.5 3.5; stroke-linecap: round; }
.s1 { --colour: var(--s1); } .s2 { --colour: var(--s2); } .s3 { --colour: var(--s3); }
.s4 { --colour: var(--s4); } .s5 { --colour: var(--s5); } .s6 { --colour: var(--s6); }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; font-size: 0.8rem; color: var(--quiet); margin: 0.2rem 0 0.5rem; }
.legend li { display: inline-flex; align-items: center; gap: 0.4rem; }

.timeline { --gutter: 17rem; --after: 4.2rem; }
.lanes li { display: grid; grid-template-columns: var(--gutter) minmax(0, 1fr) var(--after); align-items: center; font-size: 0.82rem; line-height: 1.3; min-height: 1.55rem; padding-block: 0.12rem; }
.lane-label { padding-right: 0.9rem; }
.lane { display: block; width: 100%; height: 16px; background: linear-gradient(var(--rule), var(--rule)) center / 100% 1px no-repeat; }
.lane-time { text-align: right; color: var(--quiet); font-variant-numeric: tabular-nums; font-size: 0.78rem; }
.lane-fault .lane-label { color: var(--bad); }
.bar-step { fill: var(--s1); } .bar-moment { fill: var(--s4); } .bar-fault { fill: var(--fault-edge); }
.timeline .lined-up { padding-right: var(--after); margin-top: 0.9rem; }
.timeline .drawing { --gutter: inherit; max-width: none; grid-template-columns: 17rem minmax(0, 1fr); }
.timeline .y-axis, .timeline .field { height: 8rem; }
.timeline .y-label { grid-column: 2; }
.timeline .y-label + .y-axis { grid-column: 1; }
@media (max-width: 46rem) {
  .timeline { --gutter: 0; --after: 3.8rem; }
  .lanes li { grid-template-columns: minmax(0, 1fr) var(--after); padding-bottom: 0.35rem; }
  .lane-label { grid-column: 1; padding: 0; }
  .lane { grid-column: 1 / -1; grid-row: 2; }
  .timeline .lined-up { padding-right: 0; }
  .timeline .drawing { grid-template-columns: 2.8rem minmax(0, 1fr); }
  .timeline .y-label { grid-column: 1 / -1; }
}

.chain { display: flex; flex-wrap: wrap; gap: 0.6rem 0; margin-bottom: 0.4rem; }
.chain li { display: flex; align-items: center; }
.chain li:not(:last-child)::after { content: "→" / ""; color: var(--quiet); padding: 0 0.6rem; }
.chain strong { background: var(--card); border: 1px solid var(--rule); border-right: 0; border-radius: 6px 0 0 6px; padding: 0.3rem 0.7rem; font-size: 0.9rem; }
.chain span { background: var(--soft); border: 1px solid var(--rule); border-radius: 0 6px 6px 0; padding: 0.3rem 0.7rem; font-size: 0.9rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 3rem; margin: 1.2rem 0; }
.facts div { display: grid; grid-template-columns: 10rem 1fr; gap: 0.8rem; padding: 0.3rem 0; border-bottom: 1px solid var(--rule); font-size: 0.9rem; }
.facts dt { color: var(--quiet); }
.verdict .facts dd { font-weight: 600; }
.diff { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 0.7rem 0; font: 0.8rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; margin: 0.6rem 0 1.2rem; }
.diff span { display: block; padding: 0 1rem; }
.diff .added { background: var(--good-tint); color: var(--good); }
.diff .removed { background: var(--bad-tint); color: var(--bad); }
.diff .place { color: var(--quiet); }
footer { color: var(--quiet); font-size: 0.85rem; padding-block: 1.5rem 3rem; border-top: 1px solid var(--rule); }

@media (max-width: 46rem) {
  .verdict, .page, footer { padding-inline: 1rem; }
  .verdict { padding-block: 1.8rem 1.2rem; gap: 1.1rem 1rem; }
  .verdict-words { grid-column: 1 / -1; }
  .score { width: 6rem; height: 6rem; }
  .score strong { font-size: 1.6rem; }
  .tally { grid-column: auto; }
  .verdict { grid-template-columns: auto 1fr; }
  .card { padding: 1rem 1rem 1.2rem 1.2rem; }
  .facts div { grid-template-columns: 8rem 1fr; }
  .scrolls tbody th, caption { white-space: normal; }
  .scrolls tbody th { min-width: 7.5rem; }
  .scrolls th, .scrolls td { padding-inline: 0.35rem; }
  .checks > li > :not(.check-title) { margin-left: 0; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media (forced-colors: active) { .icon circle { stroke: CanvasText; } .bar-step, .bar-fault, .part, .gauge .value { forced-color-adjust: none; } }
@page { margin: 14mm; }
@media print {
  :root { color-scheme: light; }
  * { print-color-adjust: exact; }
  body { background: #fff; font-size: 0.84rem; }
  .contents, .filter, .skip { display: none; }
  .page { display: block; padding: 0; }
  .verdict, .page, footer { max-width: none; padding-inline: 0; }
  .band { padding-inline: 1rem; }
  .verdict { padding-block: 1rem; }
  h2, h3, h4, figcaption, caption, .check-title { break-after: avoid; }
  .boxes > li, .checks > li, tr, figure.plot, .lanes li, .tiles, .evidence li { break-inside: avoid; }
  .boxes { grid-template-columns: 1fr 1fr; }
  .card { break-inside: auto; border-radius: 0; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
  .scrolls { overflow: visible; }
  .scrolls table { width: 100%; min-width: 0; font-size: 0.72rem; }
  .scrolls th, .scrolls tbody th, .scrolls td:not(:last-child), .scrolls .figures, caption { white-space: normal; overflow-wrap: anywhere; }
  .scrolls th, .scrolls td { padding-inline: 0.3rem; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { list-style: none; color: var(--quiet); }
  .command { user-select: auto; }
}
`
