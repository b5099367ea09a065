/* What the pages do beyond links and forms: dialogs, the busy state, the poll of the live parts, and ages.
   Everything works without this file; nothing here decides anything. */
"use strict";

(() => {
  const POLL = 5000;               // one request every 5 s ...
  const EAGER = 1000;              // ... while a change is on its way
  const BACKOFF = [5000, 10000, 20000, 40000, 60000];  // ... and less often while it fails
  const STALE = 30;                // seconds after which figures say that they are old
  const body = document.body;
  const words = body.dataset;
  const digits = new Intl.NumberFormat(`${document.documentElement.lang}-u-nu-${words.digits}`);

  // -- dialogs: pages of their own, shown in <dialog> where there is script --------------------
  const dialog = document.getElementById("dialog");
  let opener = null;
  let written = false;

  function openDialog() {
    if (!dialog.open) {
      opener = document.activeElement;
      dialog.showModal();
    }
    const first = dialog.querySelector("[autofocus], .in, footer .btn-main, footer .btn");
    if (first) first.focus();
  }

  function closeDialog() {
    if (dialog.open) dialog.close();
  }

  if (dialog) {
    dialog.addEventListener("close", () => {
      dialog.replaceChildren();
      if (written && document.getElementById("peers")) {
        htmx.ajax("GET", location.pathname + location.search, { target: "#peers", swap: "outerHTML" });
      }
      written = false;
      const back = opener && opener.isConnected ? opener : document.querySelector("h1");
      if (back) back.focus();
      poll.now();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) {
        event.preventDefault();
        closeDialog();
      }
    });
    body.addEventListener("htmx:afterSwap", (event) => {
      if (event.detail.target === dialog) openDialog();
    });
  }

  // -- writes: the button is busy, keeps its width, and is deaf to a second click --------------
  function submitter(form) {
    return form.querySelector("[type=submit]") || document.querySelector(`[form="${form.id}"]`);
  }

  function busy(form, on) {
    const button = submitter(form);
    if (!button) return;
    if (on) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
  }

  body.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.sent = "1";
    busy(form, true);
  }, true);

  function settled(event) {
    const form = event.detail.elt;
    if (event.detail.requestConfig.verb === "post" && event.detail.successful) written = true;
    if (form instanceof HTMLFormElement) {
      delete form.dataset.sent;
      busy(form, false);
    }
  }
  body.addEventListener("htmx:afterRequest", settled);

  function refused(event) {
    const form = event.detail.elt;
    const note = form.isConnected ? form.querySelector("[data-refused]") : null;
    if (note) {
      note.hidden = false;
      note.querySelector("[data-ended]").hidden = !(event.detail.xhr && event.detail.xhr.status === 401);
    }
  }
  body.addEventListener("htmx:sendError", refused);
  body.addEventListener("htmx:responseError", refused);

  addEventListener("pageshow", () => {      // back from another page: forms may be sent again
    for (const form of document.forms) {
      delete form.dataset.sent;
      busy(form, false);
    }
  });

  // -- ages: a number and how old it is belong together ---------------------------------------
  function ago(seconds) {
    if (seconds < 60) return words.agoS.replace("0", digits.format(Math.max(0, Math.round(seconds))));
    if (seconds < 3600) return words.agoM.replace("0", digits.format(Math.floor(seconds / 60)));
    if (seconds < 86400) return words.agoH.replace("0", digits.format(Math.floor(seconds / 3600)));
    return words.agoD.replace("0", digits.format(Math.floor(seconds / 86400)));
  }

  // The server's clock, as seen with the last answer: the browser's own may be wrong.
  let skew = Date.parse(words.now) - Date.now();

  function tick() {
    const now = Date.now() + skew;
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const seconds = (now - Date.parse(time.dateTime)) / 1000;
      const text = ago(seconds);
      if (time.textContent !== text) time.textContent = text;
      if (time.dataset.ago) {
        const live = time.closest("[data-live]");
        if (live) live.classList.toggle("stale", seconds > STALE);
        if (time.dataset.ago === "page") body.classList.toggle("is-stale", seconds > STALE);
      }
    }
  }
  setInterval(tick, 1000);

  // -- the poll -------------------------------------------------------------------------------
  const poll = (() => {
    const offline = document.getElementById("offline");
    let timer = 0;
    let failures = 0;
    let running = null;
    let last = Date.now();

    // Where to ask, and what is shown already: both change when a search or a page is swapped in.
    const source = () => document.querySelector("[data-poll]");

    function later(delay) {
      clearTimeout(timer);
      // what was sent a moment ago is awaited: the page says so with [data-eager]
      const wait = document.querySelector("[data-eager]") ? Math.min(delay, EAGER) : delay;
      if (source() && !document.hidden) timer = setTimeout(now, wait);
    }

    function say(kind) {
      if (!offline) return;
      offline.hidden = kind === "";
      for (const part of offline.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== kind;
    }

    // Out-of-band swap by id; a part that holds the focus is left alone until the next round.
    function swap(text, from) {
      const parts = document.createElement("template");
      parts.innerHTML = text;
      const list = parts.content.getElementById("list-name");
      const changed = document.getElementById("changed");
      if (changed && list) changed.hidden = list.dataset.list === from.dataset.list;
      for (const part of parts.content.querySelectorAll("[data-part]")) {
        const old = document.getElementById(part.id);
        if (!old || old.contains(document.activeElement)) continue;
        if (old.outerHTML !== part.outerHTML) {
          old.replaceWith(part);
          htmx.process(part);
        }
      }
    }

    async function ask() {
      const from = source();
      const answer = await fetch(from.dataset.poll, {
        headers: { "If-None-Match": from.dataset.etag, "HX-Request": "true" },
        cache: "no-store",
        credentials: "same-origin",
        redirect: "error",
        signal: AbortSignal.timeout(15000),
      });
      if (answer.status === 401 || answer.status === 403) {
        say("ended");
        return false;
      }
      if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
      const clock = answer.headers.get("X-VWG-Now");
      if (clock) skew = Date.parse(clock) - Date.now();
      if (answer.status === 200) {
        const text = await answer.text();
        if (!from.isConnected) return true;      // another search is on the page by now
        swap(text, from);
        from.dataset.etag = answer.headers.get("ETag") || "";
      }
      for (const reading of (answer.headers.get("X-VWG-Observed") || "").split(" ")) {
        const [of, at] = reading.split("=");
        const times = of ? document.querySelectorAll(`time[data-ago="${of}"]`) : [];
        for (const time of times) time.dateTime = at;
      }
      last = Date.now();
      say("");
      return true;
    }

    function now() {
      if (!source() || running) return running;
      clearTimeout(timer);
      running = ask().then((again) => {
        failures = 0;
        if (again) later(POLL);
      }, () => {
        failures += 1;
        if (Date.now() - last > 2 * POLL) say("offline");
        later(BACKOFF[Math.min(failures, BACKOFF.length) - 1]);
      }).finally(() => {
        running = null;
        tick();
      });
      return running;
    }

    document.addEventListener("visibilitychange", () => {
      if (document.hidden) clearTimeout(timer);
      else now();
    });
    if (offline) offline.addEventListener("click", (event) => {
      if (event.target.closest("[data-again]")) now();
    });
    later(POLL);
    return { now };
  })();

  // -- keys -----------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (words.keys === "off") return;
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    const find = document.querySelector("[type=search]");
    if (find) {
      event.preventDefault();
      find.focus();
    }
  });

  // -- copying: what the button names, with a word for it when it is done ----------------------
  async function copy(button) {
    const from = document.getElementById(button.dataset.copy);
    if (!from) return;
    const field = "value" in from;
    if (field) from.select();
    else getSelection().selectAllChildren(from);
    const text = field ? from.value : from.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      document.execCommand("copy");            // no clipboard without https: what is selected
    }
    button.setAttribute("data-copied", words.copied || "");
    setTimeout(() => button.removeAttribute("data-copied"), 2000);
  }
  body.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  // -- charts: the arrow keys walk from bar to bar; one of them is in the order of Tab ----------
  body.addEventListener("keydown", (event) => {
    const point = event.target.closest && event.target.closest(".chart .pt");
    if (!point || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    const all = [...point.parentNode.querySelectorAll(".pt")];
    const place = all.indexOf(point);
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: all.length - 1 }[event.key];
    if (!all[to]) return;
    event.preventDefault();
    point.setAttribute("tabindex", "-1");
    all[to].setAttribute("tabindex", "0");
    all[to].focus();
  });

  function showScripted(root) {
    for (const button of root.querySelectorAll("[data-script]")) button.hidden = false;
  }
  body.addEventListener("htmx:load", (event) => showScripted(event.detail.elt));
  showScripted(document);
  // -- a preview of what a form would make ----------------------------------------------------
  for (const frame of document.querySelectorAll("[data-preview]")) {
    const form = document.querySelector(frame.dataset.preview);
    let timer = 0;
    if (form) form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const values = new FormData(form);
        const query = new URLSearchParams();
        for (const name of ["brand_name", "brand_color", "brand_color_dark"]) {
          query.set(name, values.get(name) || "");
        }
        frame.contentWindow.location.replace(`${frame.dataset.src}?${query}`);
      }, 300);
    });
  }
})();
