// Reads {name: policy} and says what csp_evaluator finds in each: [[name, severity, directive, description]].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/assets/package.json", import.meta.url));
const { CspParser } = require("csp_evaluator/dist/parser.js");
const { CspEvaluator } = require("csp_evaluator/dist/evaluator.js");

const policies = JSON.parse(readFileSync(0, "utf8"));
const found = Object.entries(policies).flatMap(([name, policy]) =>
  new CspEvaluator(new CspParser(policy).csp).evaluate().map((item) => [name, item.severity, item.directive, item.description]),
);
process.stdout.write(JSON.stringify(found));
