// What forms with a text do in the browser: drafts are kept while one writes, templates come where one writes, choices follow one another.
// It listens to the document, so that a form that htmx puts in later is like one that was there. A form says what it wants: `data-draft` names
// the place of its draft, `data-choices` where choices are asked for that follow those of `data-decides`.
"use strict";

{
  const PAUSE_MS = 1500;
  const writing = new WeakMap(); // form → what is on its way

  const formOf = (target) => target.closest?.("form[data-draft]");
  const stateOf = (form) => form.querySelector("[data-draft-state]");

  function deskOf(form) {
    if (!writing.has(form)) writing.set(form, { timer: 0, sending: null, isOver: false });
    return writing.get(form);
  }

  function fields(form) {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "deed") found.append(name, value);
    found.set("place", form.dataset.draft);
    return found;
  }

  function touched(form) {
    const desk = deskOf(form);
    clearTimeout(desk.timer);
    if (!desk.isOver) desk.timer = setTimeout(() => keep(form), PAUSE_MS);
  }

  function stop(form) {
    const desk = deskOf(form);
    clearTimeout(desk.timer);
    desk.sending?.abort();
  }

  async function keep(form) {
    const state = stateOf(form);
    if (!state || !form.isConnected) return;
    stop(form);
    const { signal } = (deskOf(form).sending = new AbortController());
    let said = state.dataset.wrong;
    let isKept = false;
    try {
      const answer = await fetch("/desk/draft", { method: "POST", body: fields(form), redirect: "manual", signal });
      const told = await answer.text();
      isKept = answer.ok;
      if (answer.ok || answer.status === 422) said = told;
    } catch (error) {
      if (error.name === "AbortError") return;
    }
    state.textContent = said;
    state.classList.toggle("wrong", !isKept);
  }

  // The text comes where the cursor is, and can be taken back as something typed.
  function insert(text, words) {
    text.focus();
    if (!document.execCommand?.("insertText", false, words)) text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function insertTemplate(form, button) {
    const choice = form.querySelector("select[name=template]");
    const text = form.querySelector("textarea[name=body]");
    if (!choice?.value || !text) return choice?.focus();
    const answer = await fetch(`${choice.dataset.texts}&template=${encodeURIComponent(choice.value)}`);
    if (!answer.ok) return;
    insert(text, await answer.text());
    document.getElementById("said").textContent = button.dataset.said;
  }

  // What depends on a choice is asked for again, with what stands there.
  function follow(form, decides) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const depends = form.querySelector(`#dependents [name="${CSS.escape(name)}"]`);
      if (typeof value === "string" && value && name !== "template" && (depends || decides.includes(name))) query.append(name, value);
    }
    window.htmx.ajax("GET", `${form.dataset.choices}?${query}`, { target: "#dependents", swap: "outerHTML" });
  }

  document.addEventListener("input", (event) => {
    const form = formOf(event.target);
    if (form && stateOf(form)) touched(form);
  });
  document.addEventListener("submit", (event) => {
    const form = formOf(event.target);
    if (!form || event.defaultPrevented) return;
    stop(form);
    deskOf(form).isOver = true;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-insert], button[data-keep]");
    const form = button && formOf(button);
    if (!form) return;
    event.preventDefault();
    if (button.matches("[data-insert]")) insertTemplate(form, button);
    else keep(form);
  });
  document.addEventListener("change", (event) => {
    const form = formOf(event.target);
    const decides = (form?.dataset.decides ?? "").split(" ");
    if (form?.dataset.choices && decides.includes(event.target.name)) follow(form, decides);
  });
}
