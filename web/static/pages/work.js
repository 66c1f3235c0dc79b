// What forms with a text do in the browser: drafts are kept while one writes, templates come where one writes, choices follow one another.
"use strict";

{
  const PAUSE_MS = 1500;
  const form = document.getElementById("writing");
  const text = form?.querySelector("textarea[name=body]");
  const state = document.getElementById("draft-state");
  let timer = 0;
  let sending = null;
  let isOver = false;

  function fields() {
    const found = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "deed") found.append(name, value);
    found.set("place", form.dataset.draft);
    return found;
  }

  function touched() {
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(keep, PAUSE_MS);
  }

  async function keep() {
    clearTimeout(timer);
    sending?.abort();
    sending = new AbortController();
    let said = state.dataset.wrong;
    let isKept = false;
    try {
      const answer = await fetch("/desk/draft", { method: "POST", body: fields(), redirect: "manual", signal: sending.signal });
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
  function insert(words) {
    text.focus();
    if (!document.execCommand?.("insertText", false, words)) text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function insertTemplate(button) {
    const choice = form.querySelector("select[name=template]");
    if (!choice?.value) return choice?.focus();
    const answer = await fetch(`${choice.dataset.texts}&template=${encodeURIComponent(choice.value)}`);
    if (!answer.ok) return;
    insert(await answer.text());
    document.getElementById("said").textContent = button.dataset.said;
  }

  // What depends on a choice is asked for again, with what stands there.
  function follow(decides) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      const depends = document.querySelector(`#dependents [name="${CSS.escape(name)}"]`);
      if (typeof value === "string" && value && name !== "template" && (depends || decides.includes(name))) query.append(name, value);
    }
    window.htmx.ajax("GET", `${form.dataset.choices}?${query}`, { target: "#dependents", swap: "outerHTML" });
  }

  if (form && text) {
    if (form.dataset.draft && state) {
      form.addEventListener("input", touched);
      form.addEventListener("submit", (event) => {
        clearTimeout(timer);
        sending?.abort();
        isOver = !event.defaultPrevented;
      });
    }
    form.addEventListener("click", (event) => {
      const button = event.target.closest?.("button");
      if (button?.matches("[data-insert]")) {
        event.preventDefault();
        insertTemplate(button);
      } else if (button?.matches("[data-keep]") && state) {
        event.preventDefault();
        keep();
      }
    });
    const decides = (form.dataset.decides ?? "").split(" ");
    if (form.dataset.choices)
      form.addEventListener("change", (event) => {
        if (decides.includes(event.target.name)) follow(decides);
      });
  }
}
