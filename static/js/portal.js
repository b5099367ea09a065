/* What the pages do beyond links and forms: dialogs, the busy state, the poll of the live parts, and ages.
   Everything works without this file; nothing here decides anything. */
"use strict";

(() => {
  const POLL = 4000;               // one request every 4 s: seen within 5 s of the gateway's word ...
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
    // The first field; else what was meant; where that takes something away, the way out.
    for (const wanted of ["[autofocus], .in", "footer .btn-main", "footer .btn"]) {
      const first = dialog.querySelector(wanted);
      if (first) return first.focus();
    }
  }

  // To what opened it; if that was a key or is gone, to the row; if that is gone too, to the top.
  function goBack() {
    if (dialog.open || (document.activeElement !== body && document.activeElement !== dialog)) return;
    const kept = opener && opener !== body && opener.isConnected ? opener : null;
    const back = kept || document.querySelector("tr.cur a, h1[tabindex]");
    if (back) back.focus();
  }

  function closeDialog() {
    if (dialog.open) dialog.close();
  }

  if (dialog) {
    dialog.addEventListener("close", () => {
      dialog.replaceChildren();
      const stale = written && document.querySelector("#peers, [data-reread]");
      if (stale) {
        const url = stale.dataset.reread || location.pathname + location.search;
        htmx.ajax("GET", url, { target: `#${stale.id}`, swap: "outerHTML" }).then(goBack);
      }
      written = false;
      goBack();
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

  // Who signed in again in another tab has another token than this page was made with.
  function fresh(form) {
    const token = form.elements.csrfmiddlewaretoken;
    const kept = document.cookie.split("; ").find((one) => one.startsWith(`${words.csrf}=`));
    if (token && kept) token.value = kept.slice(words.csrf.length + 1);
  }

  body.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || (event.submitter && "download" in event.submitter.dataset)) return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    fresh(form);
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
      if (changed && list) tellChanges(changed, from.dataset.list, list.dataset.list);
      for (const part of parts.content.querySelectorAll("[data-part]")) {
        const old = document.getElementById(part.id);
        if (!old || old.contains(document.activeElement)) continue;
        if (old.outerHTML !== part.outerHTML) {
          old.replaceWith(part);
          htmx.process(part);
        }
      }
    }

    // Rows do not jump while one looks: how many came, went or changed places waits to be shown.
    function tellChanges(note, shown, now) {
      note.hidden = shown === now;
      const place = note.querySelector("[data-words]");
      if (note.hidden || !place) return;
      const before = shown.split(" ");
      const after = now.split(" ");
      const came = after.filter((row) => !before.includes(row)).length;
      const went = before.filter((row) => !after.includes(row)).length;
      const moved = after.filter((row, index) => row !== before[index]).length;
      place.textContent = counted(note, Math.max(came, went) || moved);
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
        say(answer.status === 401 ? "ended" : "refused");
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
    // The browser knows at once that there is no network, and that there is one again.
    addEventListener("offline", () => source() && say("offline"));
    addEventListener("online", now);
    if (offline) offline.addEventListener("click", (event) => {
      if (event.target.closest("[data-again]")) now();
    });
    later(POLL);
    return { now };
  })();

  // -- numbers in words: "1 change", "0 changes" with the number in the zero's place ------------
  function counted(element, count) {
    return count === 1 ? element.dataset.one : element.dataset.many.replace("0", digits.format(count));
  }

  // -- the table of clients: what is ticked, and what can be done with it -----------------------
  const picked = (() => {
    const ticks = () => [...document.querySelectorAll("#picked tbody .tick")];
    let last = null;                 // where a range begins

    function show() {
      const form = document.getElementById("picked");
      const bar = form && form.querySelector("[data-bulk]");
      if (!bar) return;
      const all = ticks();
      const on = all.filter((tick) => tick.checked);
      const whole = form.querySelector("[data-whole]");
      const head = form.querySelector("[data-all]");
      for (const tick of all) {
        const row = tick.closest("tr");
        if (tick.checked || whole.checked) row.setAttribute("aria-selected", "true");
        else row.removeAttribute("aria-selected");
      }
      bar.hidden = !on.length && !whole.checked;
      head.checked = on.length > 0 && on.length === all.length;
      head.indeterminate = on.length > 0 && !head.checked;
      const words = bar.querySelector("[data-picked]");
      words.textContent = whole.checked ? "" : counted(words, on.length);
      for (const button of bar.querySelectorAll("[data-script]")) button.hidden = false;
    }

    function range(to) {
      const all = ticks();
      const from = all.indexOf(last);
      const end = all.indexOf(to);
      if (from < 0 || end < 0) return toggle(to);
      for (const tick of all.slice(Math.min(from, end), Math.max(from, end) + 1)) tick.checked = true;
      last = to;
      return show();
    }

    function toggle(tick) {
      tick.checked = !tick.checked;
      last = tick;
      show();
    }

    function clear() {
      const form = document.getElementById("picked");
      if (form) form.reset();
      setTimeout(show);
    }

    body.addEventListener("click", (event) => {
      const tick = event.target.closest("#picked tbody .tick");
      if (!tick) return;
      if (event.shiftKey && last && tick.checked) range(tick);
      last = tick;
    });
    body.addEventListener("change", (event) => {
      if (!event.target.matches("#picked .tick")) return;
      if ("all" in event.target.dataset) for (const tick of ticks()) tick.checked = event.target.checked;
      show();
    });
    body.addEventListener("reset", () => setTimeout(show));
    body.addEventListener("htmx:afterSwap", show);
    addEventListener("pageshow", show);
    return { toggle, range, clear };
  })();

  // -- a list that is read anew: nothing for 300 ms, then lines that wait; or what went wrong ---
  (() => {
    let timer = 0;
    const isList = (event) => event.detail.target && event.detail.target.id === "clients";

    function wait(on) {
      clearTimeout(timer);
      for (const part of document.querySelectorAll("#clients .tbl > tbody")) {
        part.hidden = part.classList.contains("waits") !== on;
      }
    }

    function failed(on) {
      const note = document.getElementById("clients-unread");
      if (note) note.hidden = !on;
    }

    body.addEventListener("htmx:beforeRequest", (event) => {
      if (isList(event)) timer = setTimeout(wait, 300, true);
    });
    body.addEventListener("htmx:afterRequest", (event) => {
      if (!isList(event)) return;
      wait(false);
      if (event.detail.successful) failed(false);
    });
    for (const name of ["htmx:responseError", "htmx:sendError"]) {
      body.addEventListener(name, (event) => isList(event) && failed(true));
    }
  })();

  // -- toasts: gone after 6 s, unless somebody reads them ---------------------------------------
  for (const toast of document.querySelectorAll(".toast")) {
    const leave = () => toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove();
    setTimeout(leave, 6000);
  }

  // -- keys -----------------------------------------------------------------------------------
  // A key of its own is written where it leads: data-key="c", data-key="g h". Keys of rows are here.
  const ROW_KEYS = {
    x: (row) => withTick(row, picked.toggle),
    X: (row) => withTick(row, picked.range),
    Enter: (row) => row.querySelector("a").click(),
    q: showCode,
    e: (row) => ask("extend", row),
    b: (row) => ask(row.querySelector("[data-off]") ? "enable" : "disable", row),
  };
  let begun = 0;                      // when "g" was pressed
  let current = "";                   // the row that j and k moved to

  function withTick(row, act) {
    const tick = row.querySelector(".tick");
    if (tick) act(tick);
  }

  function follow(element) {
    if (element) element.click();
  }

  function ask(act, row) {
    const form = document.getElementById("picked");
    if (!form || !row.querySelector(".tick")) return;
    const query = new URLSearchParams({ act, id: row.dataset.row });
    htmx.ajax("GET", `${form.getAttribute("action")}?${query}`, "#dialog");
  }

  // The QR code of a client's only device; of several, one is chosen on the client's page.
  function showCode(row) {
    const link = row.querySelector("a");
    if (!row.dataset.device) return link.click();
    return htmx.ajax("GET", `${link.pathname}devices/${row.dataset.device}/`, "#dialog");
  }

  function move(step) {
    const rows = [...document.querySelectorAll("[data-rows] tr[data-row]")];
    const now = rows.findIndex((row) => row.classList.contains("cur"));
    const next = rows[now < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, now + step))];
    if (!next) return;
    for (const row of rows) row.classList.toggle("cur", row === next);
    current = next.dataset.row;
    next.scrollIntoView({ block: "nearest" });
  }

  // A list that was read anew: the row that one stood at is still it.
  body.addEventListener("htmx:afterSwap", () => {
    const row = current && document.querySelector(`[data-rows] tr[data-row="${current}"]`);
    if (row && !document.querySelector("[data-rows] tr.cur")) row.classList.add("cur");
  });

  // On a Persian keyboard the same key writes another letter; what is printed on it counts.
  function letter(event) {
    if (event.code === "Slash" && !/[ -~]/.test(event.key)) return event.shiftKey ? "?" : "/";
    if (event.key.length !== 1 || /[ -~]/.test(event.key) || !event.code.startsWith("Key")) return event.key;
    return event.shiftKey ? event.code[3] : event.code[3].toLowerCase();
  }

  function pressed(key) {
    const row = document.querySelector("[data-rows] tr.cur");
    if (key === "/") {
      const find = document.querySelector("[type=search]");
      if (find) find.focus();
      return Boolean(find);
    }
    if (key === "j" || key === "k") return move(key === "j" ? 1 : -1), true;
    if (key === "Escape") return picked.clear(), false;
    if (row && key in ROW_KEYS) return ROW_KEYS[key](row), true;
    const named = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    follow(named);
    return Boolean(named);
  }

  document.addEventListener("keydown", (event) => {
    if (words.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (dialog && dialog.open) return;
    if (event.target.closest("input:not(.tick), textarea, select, [contenteditable]")) return;
    if (event.key === "Enter" && event.target.closest("a, button, summary, input")) return;
    let key = letter(event);
    if (key === "g") {
      begun = Date.now();
      return;
    }
    if (Date.now() - begun < 1500 && key.length === 1) key = `g ${key}`;
    begun = 0;
    if (pressed(key)) event.preventDefault();
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
