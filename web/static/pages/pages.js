// What pages do in the browser beyond htmx: the palette, the keyboard, selections, unsaved changes. Nothing of it is needed.
"use strict";

const root = document.documentElement;
const token = () => document.querySelector("meta[name=csrf-token]")?.content ?? "";

function say(text) {
  const region = document.getElementById("said");
  if (region && text) region.textContent = text;
}

// --- the palette ---

document.addEventListener("alpine:init", () => {
  window.Alpine.data("palette", () => ({
    empty: false,
    init() {
      this.$refs.opener.hidden = false;
      this.$refs.plain.hidden = true;
      document.addEventListener("htmx:after:swap", () => this.$refs.box.open && this.found());
      document.addEventListener("keydown", (event) => {
        if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
          event.preventDefault();
          this.open();
        }
      });
    },
    all() {
      return [...this.$refs.list.querySelectorAll("[role=option]")];
    },
    options() {
      return this.all().filter((option) => !option.hidden);
    },
    // Rows of the modules came, after what the menu has; what was chosen stays chosen.
    found() {
      if (this.place() < 0) this.choose(0);
      this.empty = this.options().length === 0;
    },
    open() {
      if (this.$refs.box.open) return;
      this.$refs.word.value = "";
      this.filter();
      this.$refs.box.showModal();
      this.$refs.word.focus();
    },
    closed() {
      this.$refs.word.value = "";
    },
    filter() {
      const words = this.$refs.word.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (words.join("").length < 2) document.getElementById("palette-found").replaceChildren();
      for (const option of this.all()) // rows have no words: the server picks them
        option.hidden = !words.every((word) => (option.dataset.words ?? word).includes(word));
      this.choose(0);
      this.empty = this.options().length === 0;
    },
    choose(place) {
      const options = this.options();
      for (const option of this.all()) option.setAttribute("aria-selected", "false");
      const chosen = options[Math.max(0, Math.min(place, options.length - 1))];
      if (!chosen) return;
      for (const [number, option] of this.all().entries()) option.id = `palette-${number}`;
      chosen.setAttribute("aria-selected", "true");
      chosen.scrollIntoView({ block: "nearest" });
      this.$refs.word.setAttribute("aria-activedescendant", chosen.id);
    },
    place() {
      return this.options().findIndex((option) => option.getAttribute("aria-selected") === "true");
    },
    move(event) {
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in steps) this.choose(this.place() + steps[event.key]);
      else if (event.key === "Enter") this.visit(this.options()[this.place()]);
      else return;
      event.preventDefault();
    },
    go(event) {
      this.visit(event.target.closest("[data-url]"));
    },
    visit(option) {
      if (option) window.location.assign(option.dataset.url);
    },
  }));
});

// --- rows that are chosen ---

document.addEventListener("alpine:init", () => {
  window.Alpine.data("rows", () => ({
    number: 0,
    shows: false,
    init() {
      this.count();
    },
    ticks() {
      return [...this.$root.querySelectorAll("input[name=id]")];
    },
    chooseAll() {
      for (const tick of this.ticks()) tick.checked = this.$refs.all.checked;
      this.count();
    },
    count() {
      const ticks = this.ticks();
      this.number = ticks.filter((tick) => tick.checked).length;
      this.shows = this.number > 0;
      for (const tick of ticks) tick.closest("tr").classList.toggle("chosen", tick.checked);
      if (!this.$refs.all) return;
      this.$refs.all.checked = this.number > 0 && this.number === ticks.length;
      this.$refs.all.indeterminate = this.number > 0 && this.number < ticks.length;
    },
  }));
});

// --- forms with unsaved changes ---

document.addEventListener("alpine:init", () => {
  window.Alpine.data("unsaved", () => ({
    touched: false,
    init() {
      window.addEventListener("beforeunload", (event) => {
        if (this.touched) event.preventDefault();
      });
    },
    touch() {
      this.touched = true;
    },
    sent() {
      this.touched = false;
    },
  }));
});

// --- the keyboard ---

// Rows of a list, or the articles of a ticket.
const rows = () => [...document.querySelectorAll("#list tbody tr[data-url], #articles > [data-row]")];
const current = () => document.querySelector("#list tr.current, #articles > .current");

function goTo(row) {
  if (!row) return;
  current()?.classList.remove("current");
  row.classList.add("current");
  row.scrollIntoView({ block: "nearest" });
  (row.querySelector("a.link") ?? row.querySelector("a, input"))?.focus({ preventScroll: true });
}

function step(by) {
  const all = rows();
  const place = all.indexOf(current());
  goTo(all[place < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, place + by))]);
}

const follow = (link) => link && window.location.assign(link.href);
// What the current row offers under a key, else what the page does.
const press = (key) => (current()?.querySelector(`[data-key=${key}]`) ?? document.querySelector(`[data-key=${key}]`))?.click();
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => current()?.dataset.url && window.location.assign(current().dataset.url),
  x: () => current()?.querySelector("input[name=id]")?.click(),
  e: () => follow(current()?.querySelector("td.does a") ?? document.querySelector("a[data-key=e]")),
  n: () => press("n"),
  r: () => press("r"),
  t: () => press("t"),
  c: () => press("c"),
  m: () => press("m"),
  "/": () => document.querySelector("[data-key='/']")?.focus(),
  "?": () => document.getElementById("keys")?.showModal(),
};
KEYS.Enter = KEYS.o;
let waiting = "";

document.addEventListener("keydown", (event) => {
  if (root.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const place = event.target;
  if (place.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]")) return;
  if (event.key === "Enter" && (place.closest("a, button, summary, input") || !current())) return;
  if (waiting === "g" && event.key === "h") return window.location.assign("/");
  waiting = event.key === "g" ? "g" : "";
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// --- cells that are edited where they stand: one button moves to the cell that is pointed at ---

const pen = document.createElement("button");
pen.type = "button";
pen.className = "cell-pen";
pen.textContent = "✎";

function columnOf(cell) {
  return cell?.closest("#list table")?.tHead.rows[0].cells[cell.cellIndex];
}

function offer(cell) {
  const column = columnOf(cell);
  if (!column?.dataset.field || cell.querySelector("form") || cell.contains(pen)) return;
  pen.setAttribute("aria-label", column.dataset.edit);
  pen.title = column.dataset.edit;
  cell.append(pen);
}

function edit(cell) {
  const row = cell.closest("tr");
  const columns = [...columnOf(cell).parentElement.cells];
  const first = columns.findIndex((column) => !column.matches(".tick")) === cell.cellIndex ? "?first=1" : "";
  pen.remove();
  cell.dataset.before = cell.innerHTML;
  window.htmx.ajax("GET", `${row.dataset.url}/cell/${columnOf(cell).dataset.field}${first}`, { target: cell, swap: "innerHTML" });
}

function stopEditing(form) {
  const cell = form.closest("td");
  cell.innerHTML = cell.dataset.before;
  cell.querySelector("a")?.focus();
}

document.addEventListener("pointerover", (event) => offer(event.target.closest?.("#list tbody td")));
document.addEventListener("focusin", (event) => offer(event.target.closest?.("#list tbody td")));
pen.addEventListener("click", () => edit(pen.closest("td")));
document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest?.("#list tbody td");
  if (cell && columnOf(cell)?.dataset.field && !cell.querySelector("form")) edit(cell);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-cancel]");
  if (button) stopEditing(button.form);
});
document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest?.(".cell-form");
  if (form) stopEditing(form);
});

// --- after a part of the page was swapped: say it, and keep the focus where it was ---

let focused = "";
document.addEventListener("htmx:before:swap", () => {
  const at = document.activeElement;
  const form = at?.closest?.("[data-returns]");
  if (form) focused = form.dataset.returns;
  else focused = at?.id ? `#${CSS.escape(at.id)}` : at?.getAttribute?.("href") ? `a[href="${CSS.escape(at.getAttribute("href"))}"]` : "";
});
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.request?.headers?.["Lambdesk-Live"]) return; // live.js says and keeps what it swaps
  const control = document.querySelector(".cell-form :is(input:not([type=hidden]), select, textarea)");
  if (control) return control.focus();
  const list = document.getElementById("list");
  say((list ?? document.getElementById("ticket-head"))?.dataset.said);
  if (focused && document.activeElement === document.body) (document.querySelector(focused) ?? list?.querySelector("a"))?.focus();
});

// --- menus close when one goes elsewhere ---

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.dropdown[open]"))
    if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.dropdown[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// --- the zone that moments are shown in ---

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && zone !== root.dataset.zone && token()) {
  const body = new URLSearchParams({ csrf: token(), zone, next: "/" });
  fetch("/look", { method: "POST", body, redirect: "manual" }).catch(() => {});
}
