// Builds what stands below web/static/pages: the style sheet from app.css and the templates, the editor with CodeMirror in it, and
// copies of other people's scripts.
// `node build.mjs FOLDER` writes to another folder, so that a test can compare.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = resolve(process.argv[2] ?? join(here, "../static/pages"));
const modules = join(here, "node_modules");

const COPIES = {
  "htmx.min.js": "htmx.org/dist/htmx.min.js",
  "hx-csp.min.js": "htmx.org/dist/ext/hx-csp.min.js",
  "alpine-csp.min.js": "@alpinejs/csp/dist/cdn.min.js",
  "uplot.min.js": "uplot/dist/uPlot.iife.min.js",
  "uplot.min.css": "uplot/dist/uPlot.min.css",
};

mkdirSync(target, { recursive: true });
for (const [name, source] of Object.entries(COPIES)) copyFileSync(join(modules, source), join(target, name));
const cli = join(modules, "@tailwindcss/cli/dist/index.mjs");
execFileSync(process.execPath, [cli, "--input", "app.css", "--output", join(target, "app.css"), "--minify"], {
  cwd: here,
  stdio: ["ignore", "ignore", "inherit"],
});
await build({
  absWorkingDir: here,
  entryPoints: ["editor.js"],
  outfile: join(target, "editor.js"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
});
