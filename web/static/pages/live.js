// Keeps what is on the screen up to date. One tab of a browser holds the event stream for all (Web Locks choose which); what it hears goes
// to the others by a BroadcastChannel. Hidden tabs hear nothing and ask again when they are looked at. Nothing of it is needed.
"use strict";

(() => {
  const HEADER = "Lambdesk-Live";
  const REST_MS = 1000; // between two fetches of a tab
  const OLD_MS = 50_000; // the stream is asked for what was missed in less than this
  const DEAF_MS = 40_000; // the server says something every 12 s
  const RETRY_MS = [500, 30_000];
  const said = document.getElementById("said");
  const places = () => [...document.querySelectorAll("[data-live]:not([data-live=''])")];
  if (!said?.dataset.version || !window.ReadableStream) return;

  const me = `${Date.now()}-${Math.random()}`;
  const entry = performance.getEntriesByType("navigation")[0];
  const fetched = new Map(); // watch → when this tab asked for what it shows
  let version = said.dataset.version;
  let heard = performance.timeOrigin + (entry?.requestStart ?? 0);
  let ended = false;

  const announce = (() => {
    let last = -Infinity;
    return (text, isRare = true) => {
      if (!text || (!isRare && performance.now() - last < 10_000)) return;
      last = performance.now();
      said.textContent = "";
      setTimeout(() => (said.textContent = text), 100);
    };
  })();

  // --- what this tab shows is fetched again ---

  const due = new Set(); // ids of places
  let timer = 0;
  let last = -Infinity;
  let isRunning = false;
  let rest = REST_MS;

  function mark(watch) {
    for (const place of places()) if (watch === undefined || place.dataset.live === watch) due.add(place.id);
    plan();
  }

  function plan() {
    if (timer || isRunning || document.hidden || !due.size) return;
    timer = setTimeout(run, Math.max(20, last + rest - performance.now()));
  }

  async function run() {
    timer = 0;
    const place = [...due].map((id) => document.getElementById(id)).find((found) => found && !isBusy(found));
    for (const id of due) if (!document.getElementById(id)) due.delete(id);
    rest = REST_MS;
    last = performance.now();
    if (place) {
      due.delete(place.id);
      isRunning = true;
      await refresh(place).catch(() => {});
      isRunning = false;
    }
    plan();
  }

  // Somebody is doing something in it that a fetch would take away.
  function isBusy(place) {
    if (place.id === "list") return isComposing || !!place.querySelector(".htmx-request, details[open]");
    const parts = partsOf(place);
    const at = document.activeElement;
    return parts.some((part) => part.querySelector("details[open]") || (part.contains(at) && at.matches("input, select, textarea, button")));
  }

  let isComposing = false;
  document.addEventListener("compositionstart", () => (isComposing = true));
  document.addEventListener("compositionend", () => (isComposing = false));

  const partsOf = (place) => (place.dataset.liveParts?.split(" ") ?? [place.id]).map((id) => document.getElementById(id)).filter(Boolean);

  async function refresh(place) {
    if (place.hasAttribute("hx-get") && !place.firstElementChild) return; // not looked at yet
    const began = Date.now();
    const swap = place.id === "list" ? "outerHTML" : "innerHTML";
    const byHand = place.dataset.liveParts || place.querySelector(".cell-form");
    const kept = capture(place);
    await window.htmx.ajax("GET", place.dataset.liveGet, {
      source: place,
      target: place,
      swap: byHand ? "none" : swap,
      headers: { [HEADER]: "1" },
      live: { place, kept, byHand, watch: place.dataset.live, began },
    });
  }

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (!ctx.live) return;
    const { place, byHand } = ctx.live;
    const { status } = ctx.response;
    if (ctx.hx?.redirect) {
      delete ctx.hx.redirect; // to the sign-in: what somebody has typed is not taken from under their hands
      hear("signed-out");
    }
    if (ended || !place.isConnected) return (ctx.swap = "none");
    if (status === 404) {
      ctx.swap = "innerHTML";
      if (place.dataset.liveParts) for (const part of partsOf(place)) if (part !== place) part.hidden = true;
      return announce(said.dataset.gone);
    }
    if (status >= 400) {
      ctx.swap = "none";
      due.add(place.id);
      rest = 5000;
      return;
    }
    fetched.set(ctx.live.watch, ctx.live.began);
    if (byHand) (place.dataset.liveParts ? takeParts : takeRows)(place, new DOMParser().parseFromString(ctx.text, "text/html"));
    if (place.id === "list" || place.dataset.liveParts) announce(said.dataset.updated, false);
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const { live, target } = event.detail.ctx ?? {};
    if (live && !live.byHand) requestAnimationFrame(() => restore(document.getElementById(live.place.id) ?? target, live.kept));
  });

  // Parts that hold nothing of htmx's are put in their places as they are.
  function takeParts(place, fresh) {
    for (const part of partsOf(place)) {
      const next = fresh.getElementById(part.id);
      if (!next) continue;
      if (part === place) part.replaceChildren(...next.childNodes);
      else part.replaceWith(next);
      part.hidden = false;
    }
  }

  // The row that is being edited stays where and what it is; the others come anew around it.
  function takeRows(list, fresh) {
    const held = list.querySelector(".cell-form")?.closest("tr");
    const body = list.querySelector("tbody");
    const next = fresh.querySelector("#list tbody");
    const heads = (root) => [...root.querySelectorAll("#list thead th")].map((cell) => cell.textContent.trim()).join("|");
    unfinished = true;
    if (!held || !next || heads(fresh) !== heads(document)) return;
    const kept = capture(list);
    const rows = [...next.rows];
    const twin = rows.findIndex((row) => row.dataset.url === held.dataset.url);
    const at = twin < 0 ? Math.min(held.sectionRowIndex, rows.length) : twin;
    for (const row of [...body.rows]) if (row !== held) row.remove();
    rows.forEach((row, place) => {
      if (place === twin) return;
      if (place < at) held.before(row);
      else body.append(row);
    });
    requestAnimationFrame(() => restore(list, kept));
  }

  // Once nobody edits any more, the list is fetched as a whole.
  let unfinished = false;
  setInterval(() => {
    if (!unfinished || document.querySelector("#list .cell-form")) return plan();
    unfinished = false;
    due.add("list");
    plan();
  }, 1000);

  // --- what somebody has chosen and where they are stays ---

  const FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary";

  function capture(place) {
    const at = place.contains(document.activeElement) ? document.activeElement : null;
    const row = at?.closest("tr[data-url]");
    const scroller = place.querySelector(".rows");
    const anchor = [...place.querySelectorAll("tbody tr")].find((one) => one.getBoundingClientRect().top >= 0);
    return {
      chosen: new Set([...place.querySelectorAll("input[name=id]:checked")].map((tick) => tick.value)),
      all: place.querySelector("input[name=all]")?.checked,
      current: place.querySelector("tr.current")?.dataset.url,
      row: row?.dataset.url,
      nth: at ? [...(row ?? place).querySelectorAll(FOCUSABLE)].indexOf(at) : -1,
      scroll: scroller ? [scroller.scrollLeft, scroller.scrollTop] : null,
      anchor: anchor && window.scrollY > 0 ? [anchor.dataset.url, anchor.getBoundingClientRect().top] : null,
    };
  }

  const rowOf = (place, url) => url && place.querySelector(`tr[data-url="${CSS.escape(url)}"]`);

  function restore(place, kept) {
    if (!place) return;
    const ticks = [...place.querySelectorAll("input[name=id]")];
    for (const tick of ticks) tick.checked = kept.chosen.has(tick.value);
    const all = place.querySelector("input[name=all]");
    if (all && kept.all) all.checked = true;
    if (kept.chosen.size) ticks[0]?.dispatchEvent(new Event("change"));
    rowOf(place, kept.current)?.classList.add("current");
    const scroller = place.querySelector(".rows");
    if (scroller && kept.scroll) [scroller.scrollLeft, scroller.scrollTop] = kept.scroll;
    if (kept.nth >= 0 && !place.contains(document.activeElement)) {
      const within = kept.row ? rowOf(place, kept.row) : place;
      const found = within?.querySelectorAll(FOCUSABLE)[kept.nth] ?? place.querySelector(FOCUSABLE);
      found?.focus({ preventScroll: true });
    }
    const anchor = kept.anchor && rowOf(place, kept.anchor[0]);
    if (anchor) window.scrollBy(0, anchor.getBoundingClientRect().top - kept.anchor[1]);
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-reload]")) return;
    event.preventDefault();
    window.location.reload();
  });

  // --- what is heard ---

  function hear(name, data) {
    heard = Date.now();
    if (name === "changed") mark(data);
    else if (name === "ready" && data !== version) {
      version = data;
      mark();
      announce(said.dataset.modules);
    } else if (name === "signed-out") {
      ended = true;
      announce(said.dataset.signedOut);
    }
  }

  // --- the tabs among themselves ---

  const channel = window.BroadcastChannel ? new BroadcastChannel("lambdesk-live") : null;
  const others = new Map(); // tab → { watch: when it was last known to be up to date }
  let leads = false;

  const mine = () => Object.fromEntries(places().map((place) => [place.dataset.live, Math.max(fetched.get(place.dataset.live) ?? 0, heard)]));
  const tell = (kind, more) => channel?.postMessage({ tab: me, kind, ...more });
  const ANSWERS = {
    who: () => active && tell("watch", { watches: mine() }),
    watch: ({ tab, watches }) => {
      others.set(tab, watches);
      if (leads) reopenSoon();
    },
    bye: ({ tab }) => others.delete(tab),
    event: ({ name, data }) => active && hear(name, data),
  };
  channel?.addEventListener("message", ({ data }) => ANSWERS[data.kind]?.(data));

  function pass(name, data) {
    hear(name, data);
    tell("event", { name, data });
  }

  // --- the stream, in the tab that leads ---

  let open = null; // the watches of the stream that is open, and how to close it
  let soon = 0;
  let alive = 0; // when the stream was last heard

  function wanted() {
    const all = new Map(Object.entries(mine()));
    for (const watches of others.values())
      for (const [watch, at] of Object.entries(watches)) all.set(watch, Math.min(at, all.get(watch) ?? Infinity));
    for (const watch of open?.watches ?? []) if (all.has(watch)) all.set(watch, Math.max(all.get(watch), alive));
    return all;
  }

  function reopenSoon() {
    clearTimeout(soon);
    soon = setTimeout(() => {
      if (open && ![...wanted().keys()].every((watch) => open.watches.has(watch))) open.close("again");
    }, 150);
  }

  // Returns why it ended.
  async function listen(signal) {
    const all = wanted();
    const now = Date.now();
    const late = [...all].filter(([, at]) => now - at > OLD_MS).map(([watch]) => watch);
    const age = Math.max(0, ...[...all.values()].map((at) => Math.min(now - at, OLD_MS)));
    const query = new URLSearchParams([...[...all.keys()].map((watch) => ["w", watch]), ["age", Math.ceil(age)]]);
    const control = new AbortController();
    let why = "lost";
    const close = (reason) => {
      why = reason;
      control.abort();
    };
    const stop = () => close("stopped");
    signal.addEventListener("abort", stop);
    let watchdog = 0;
    let settled = 0;
    try {
      const answer = await fetch(`/live?${query}`, { signal: control.signal, redirect: "manual", headers: { Accept: "text/event-stream" } });
      if (answer.type === "opaqueredirect") return "signed-out";
      if (!answer.ok) return "lost";
      open = { watches: new Set(all.keys()), close };
      // A stream that ends again and again is not asked for again and again.
      settled = setTimeout(() => (failures = 0), 5000);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        clearTimeout(watchdog);
        watchdog = setTimeout(close, DEAF_MS, "lost");
        const { done, value } = await reader.read();
        if (done) return why;
        alive = Date.now();
        const messages = (text + value).split("\n\n");
        text = messages.pop();
        for (const message of messages) {
          const name = /^event: (.*)$/m.exec(message)?.[1];
          const data = /^data: (.*)$/m.exec(message)?.[1];
          if (!name) {
            pass("alive", "");
            continue;
          }
          if (name === "schema") why = "schema";
          if (name === "signed-out") return name;
          if (name === "ready") for (const watch of late) pass("changed", watch);
          pass(name, JSON.parse(data));
        }
      }
    } catch {
      return why;
    } finally {
      clearTimeout(watchdog);
      clearTimeout(settled);
      signal.removeEventListener("abort", stop);
      control.abort();
      open = null;
    }
  }

  let failures = 0;
  const sleep = (ms, signal) =>
    new Promise((wake) => {
      const timer = setTimeout(wake, ms);
      signal.addEventListener("abort", () => (clearTimeout(timer), wake()), { once: true });
    });

  async function lead(signal) {
    leads = true;
    others.clear();
    tell("who");
    await sleep(100, signal);
    while (!signal.aborted && !ended) {
      if (!wanted().size) {
        await sleep(1000, signal);
        continue;
      }
      const why = await listen(signal);
      if (why === "signed-out") pass("signed-out", "");
      else if (why === "schema") await sleep(Math.random() * 300, signal);
      else if (why === "lost") {
        const [least, most] = RETRY_MS;
        await sleep(Math.min(most, least * 2 ** failures++) * (0.7 + Math.random() * 0.6), signal);
      }
    }
    leads = false;
  }

  // --- a tab takes part while it is looked at ---

  let active = null;

  function begin() {
    if (active || ended || document.hidden || !places().length) return;
    const control = (active = new AbortController());
    tell("watch", { watches: mine() });
    const locks = navigator.locks;
    const leading = locks
      ? locks.request("lambdesk-live", { signal: control.signal }, () => lead(control.signal))
      : lead(control.signal);
    leading.catch(() => {});
    plan();
  }

  function end() {
    active?.abort();
    active = null;
    tell("bye");
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  window.addEventListener("pagehide", end);
  window.addEventListener("pageshow", (event) => event.persisted && begin());
  // The list of another filter is another watch.
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx?.live) return;
    for (const place of places())
      if (!fetched.has(place.dataset.live)) fetched.set(place.dataset.live, Date.now() - 500);
    if (!active) return;
    if (leads) reopenSoon();
    else tell("watch", { watches: mine() });
  });
  setTimeout(begin, 300); // who only passes by needs no stream
})();
