// The editor of module files and lambdas: CodeMirror over a text area of the page, checked by the server while one types.
// Without it the page works with its buttons alone.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascriptLanguage, localCompletionSource } from "@codemirror/lang-javascript";
import { yamlLanguage } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { parseMixed } from "@lezer/common";
import { tags } from "@lezer/highlight";
import { completeFromSchema } from "./completion.js";

const PAUSE_MS = 300;
const KEEP_MS = 1_200; // after the last letter
const LEVELS = { ERROR: "error", WARNING: "warning", INFO: "info" };

// Colours come from the theme of the page, so that light and dark need nothing here.
const theme = EditorView.theme({
  "&": { backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", fontSize: "0.85rem" },
  ".cm-scroller": { fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace", lineHeight: "1.5", maxHeight: "70vh" },
  ".cm-content": { minHeight: "18rem", caretColor: "var(--color-base-content)" },
  ".cm-cursor": { borderLeftColor: "var(--color-base-content)" },
  ".cm-gutters": { minHeight: "18rem !important", backgroundColor: "var(--color-base-200)", color: "var(--color-base-content)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in oklab, var(--color-primary) 6%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--color-base-300)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in oklab, var(--color-primary) 28%, transparent)" },
  ".cm-tooltip, .cm-panels": { backgroundColor: "var(--color-base-100)", color: "var(--color-base-content)", border: "1px solid var(--color-base-300)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--color-primary)", color: "var(--color-primary-content)" },
  ".cm-matchingBracket": { backgroundColor: "color-mix(in oklab, var(--color-success) 22%, transparent)" },
});
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "light-dark(#1d4f9c, #9cc3ff)" },
  { tag: [tags.string, tags.special(tags.string)], color: "light-dark(#1c6b3a, #7bd097)" },
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], color: "light-dark(#7a3fb0, #d0a6ff)" },
  { tag: [tags.number, tags.bool, tags.null], color: "light-dark(#a1470a, #ffae75)" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "light-dark(#5b6576, #9aa6b8)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName)], color: "light-dark(#0f6b67, #62c9c3)" },
  { tag: tags.invalid, color: "var(--color-error)" },
]);

// Blocks under these keys are JavaScript.
const LAMBDA_KEYS = new Set(["lambda"]);
const moduleLanguage = yamlLanguage.configure({
  wrap: parseMixed((node, input) => {
    if (node.name !== "BlockLiteralContent") return null;
    let pair = node.node.parent;
    while (pair && pair.name !== "Pair") pair = pair.parent;
    const key = pair?.getChild("Key");
    return key && LAMBDA_KEYS.has(input.read(key.from, key.to).trim()) ? { parser: javascriptLanguage.parser } : null;
  }),
});

function languageOf(area) {
  if (area.dataset.editor === "yaml") return new LanguageSupport(moduleLanguage, moduleLanguage.data.of({ autocomplete: completeFromSchema }));
  const names = JSON.parse(area.dataset.names ?? "{}");
  const complete = (context) => {
    const member = context.matchBefore(/\b(item|args|me)\.\w*/);
    if (member) {
      const [owner] = member.text.split(".");
      return { from: member.from + owner.length + 1, options: (names[owner] ?? []).map((label) => ({ label, type: "property" })), validFor: /^\w*$/ };
    }
    const word = context.matchBefore(/\w+/);
    if (!word && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options: (names[""] ?? []).map((label) => ({ label, type: "variable" })), validFor: /^\w*$/ };
  };
  return new LanguageSupport(javascriptLanguage, [
    javascriptLanguage.data.of({ autocomplete: complete }),
    javascriptLanguage.data.of({ autocomplete: localCompletionSource }),
  ]);
}

// Chromium types over a selection by making elements with styles of their own, which the policy stops: so the text goes in here.
function typeOver(event, view) {
  const { from, to } = view.state.selection.main;
  if (event.inputType !== "insertText" || !event.data || view.composing || (from === to && !event.data.includes("\n"))) return false;
  event.preventDefault();
  const insert = () => view.state.update({ ...view.state.replaceSelection(event.data), userEvent: "input.type", scrollIntoView: true });
  if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, insert))) view.dispatch(insert());
  return true;
}

function makeView(area, changed) {
  const view = new EditorView({
    state: EditorState.create({
      doc: area.value,
      extensions: [
        EditorView.cspNonce.of(area.dataset.nonce),
        lineNumbers(), highlightActiveLineGutter(), lintGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(),
        closeBrackets(), autocompletion(), highlightActiveLine(), highlightSelectionMatches(), search({ top: true }),
        indentUnit.of("  "), EditorState.tabSize.of(2), EditorView.lineWrapping,
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
        languageOf(area), theme, syntaxHighlighting(colours),
        EditorView.domEventHandlers({ beforeinput: typeOver }),
        EditorView.contentAttributes.of({ "aria-label": area.dataset.label, tabindex: "0" }),
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
      ],
    }),
  });
  area.hidden = true;
  area.required = false; // a browser cannot point at what it does not show
  area.after(view.dom);
  return view;
}

function show(view, line, column = 1) {
  const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
  view.dispatch({ selection: { anchor: Math.min(at.from + column - 1, at.to) }, effects: EditorView.scrollIntoView(at.from, { y: "center" }) });
  view.focus();
}

// Marks what the server found, as the page says it below the editor.
function mark(view, part) {
  const doc = view.state.doc;
  const found = [...part.querySelectorAll("[data-line]")].filter((item) => Number(item.dataset.line) <= doc.lines && Number(item.dataset.line) > 0);
  const diagnostics = found.map((item) => {
    const line = doc.line(Number(item.dataset.line));
    const from = Math.min(line.from + Math.max(0, Number(item.dataset.column) - 1), line.to);
    const word = /^[\w-]+/.exec(line.text.slice(from - line.from));
    return { from, to: word ? from + word[0].length : line.to, severity: LEVELS[item.dataset.level] ?? "error", message: item.dataset.message };
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

// Asks the server, and puts its answer into the page; an older answer never takes the place of a newer one.
function makeCheck(form, view) {
  let running = null;
  return async () => {
    running?.abort();
    running = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    body.set("do", form.dataset.do);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" }, signal: running.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const made = page.getElementById(form.dataset.into);
      const old = document.getElementById(form.dataset.into);
      if (!made || !old) return;
      for (const [place, item] of [...old.querySelectorAll("details")].entries()) {
        const twin = made.querySelectorAll("details")[place];
        if (twin && item.open) twin.open = true;
      }
      old.replaceWith(made);
      mark(view, made);
    } catch (error) {
      if (error.name !== "AbortError") console.info("the check was not answered");
    }
  };
}

// --- the draft that the server keeps until it is published ---

// Returns what is to be called with every change, and what stops it for good: what is published must not come back as a draft.
function makeKeeper(form, kept) {
  if (!form.dataset.draft) return { change: () => {}, stop: () => {} };
  let timer = 0;
  let running = null;
  let stopped = false;
  let waiting = false;
  const keep = async (isLast = false) => {
    clearTimeout(timer);
    if (stopped || !waiting) return;
    waiting = false;
    running?.abort();
    running = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "draft");
    const sent = form.elements.source.value;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" }, keepalive: isLast && body.toString().length < 60_000, signal: running.signal });
      const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("draft-state");
      if (made) document.getElementById("draft-state")?.replaceWith(made);
      if (answer.ok && made && "kept" in made.dataset) kept(sent);
    } catch (error) {
      if (error.name !== "AbortError") console.info("the draft was not kept");
    }
  };
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && keep(true));
  return {
    change: () => {
      waiting = true;
      clearTimeout(timer);
      timer = setTimeout(keep, KEEP_MS);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      running?.abort();
    },
  };
}

function start(area) {
  const form = area.form;
  let timer = 0;
  let touched = false;
  let check = () => {};
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE_MS);
  };
  const keeper = makeKeeper(form, (text) => {
    if (area.value === text) touched = false; // whoever leaves now finds it again
  });
  const view = makeView(area, (text) => {
    area.value = text;
    touched = true;
    keeper.change();
    later();
  });
  check = makeCheck(form, view);
  form.addEventListener("submit", () => {
    touched = false;
    keeper.stop();
  });
  form.addEventListener("input", (event) => event.target !== area && !view.dom.contains(event.target) && later());
  window.addEventListener("beforeunload", (event) => touched && event.preventDefault());
  document.addEventListener("click", (event) => {
    const place = event.target.closest?.("a.where")?.closest("[data-line]");
    if (!place || !document.getElementById(form.dataset.into)?.contains(place) || place.dataset.file) return;
    event.preventDefault();
    show(view, Number(place.dataset.line), Number(place.dataset.column));
  });
  for (const told of form.querySelectorAll("[data-scripted]")) told.hidden = false;
  const part = document.getElementById(form.dataset.into);
  if (part?.childElementCount) mark(view, part);
  else check();
  if (area.dataset.at) show(view, Number(area.dataset.at));
}

for (const area of document.querySelectorAll("textarea[data-editor]")) start(area);
