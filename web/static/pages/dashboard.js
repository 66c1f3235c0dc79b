// Draws the chart of the last days from the table behind it, on a canvas. Without it the table says the same.
"use strict";

(() => {
  const place = document.getElementById("days-chart");
  const table = place && document.getElementById(place.dataset.of);
  if (!table || !window.uPlot) return;
  place.hidden = false;

  const heads = [...table.tHead.rows[0].cells].slice(1);
  const rows = [...table.tBodies[0].rows].reverse();
  const number = (cell) => Number(cell.textContent.replace(/\D/g, ""));
  const day = (row) => Date.parse(`${row.cells[0].textContent.trim()}T00:00:00Z`) / 1000;
  const data = [rows.map(day), ...heads.map((_, place) => rows.map((row) => number(row.cells[place + 1])))];
  const lang = document.documentElement.lang;
  const short = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" });
  let chart = null;

  // Lines differ by dashes and by the shape of their points, and not by colour alone.
  const LINES = [{ dash: [], points: 7 }, { dash: [6, 4], points: 4 }];
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function draw() {
    const ink = getComputedStyle(place).color;
    const colours = [style("--color-primary") || ink, style("--color-warning") || ink];
    const faint = { stroke: style("--color-base-300") || ink, width: 1 };
    const axis = { stroke: ink, grid: faint, ticks: faint, font: "12px system-ui, sans-serif" };
    chart?.destroy();
    chart = new window.uPlot(
      {
        width: place.clientWidth || 600,
        height: 240,
        tzDate: (ts) => window.uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
        scales: { y: { range: (_, least, most) => [0, Math.max(most, 4) * 1.08] } },
        axes: [
          { ...axis, values: (_, marks) => marks.map((mark) => short.format(mark * 1000)), space: 70, incrs: [86400, 172800, 432000, 604800, 1209600] },
          { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
        ],
        series: [
          { label: table.tHead.rows[0].cells[0].textContent, value: (_, mark) => (mark === null ? "–" : short.format(mark * 1000)) },
          ...heads.map((head, at) => ({
            label: head.textContent,
            stroke: colours[at % colours.length],
            width: 2,
            dash: LINES[at % LINES.length].dash,
            points: { show: true, size: LINES[at % LINES.length].points },
            value: (_, found) => found ?? "–",
          })),
        ],
      },
      data,
      place,
    );
  }

  draw();
  new ResizeObserver(() => chart?.setSize({ width: place.clientWidth, height: 240 })).observe(place);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
