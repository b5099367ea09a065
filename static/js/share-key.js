/* The page behind a share link, where the device's key is made: by this browser, which sends the public half alone.
   The private half is written into the file here and goes nowhere; without this script a key can be pasted. */
"use strict";

(() => {
  const place = document.getElementById("key");
  const button = document.getElementById("make-key");
  const trouble = document.getElementById("key-trouble");
  if (!place || !button) return;
  const words = place.dataset;
  let pair = null;  // kept, so that a second try sends the same key

  function say(text) {
    trouble.textContent = text;
    trouble.hidden = !text;
  }

  const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

  async function makePair() {
    const made = await crypto.subtle.generateKey({ name: "X25519" }, true, ["deriveBits"]);
    const [open, sealed] = await Promise.all([
      crypto.subtle.exportKey("raw", made.publicKey),
      crypto.subtle.exportKey("pkcs8", made.privateKey),
    ]);
    return { open: base64(open), secret: base64(sealed.slice(-32)) };  // RFC 8410: the key ends it
  }

  async function send(key) {
    const answer = await fetch(words.url, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ public_key: key }),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  function show(text, name) {
    const made = document.getElementById("key-made").content.cloneNode(true);
    made.querySelector(".qr").append(vwgQr.svg(text, words.qr));
    made.querySelector("pre").textContent = text;
    made.querySelector(".note span").textContent = words.done;
    const link = made.querySelector("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    link.download = name;
    const copy = made.querySelector("button");
    copy.addEventListener("click", () => navigator.clipboard.writeText(text));
    place.replaceChildren(place.querySelector(".sec-h"), made);
    place.querySelector("h2").tabIndex = -1;
    place.querySelector("h2").focus();
    const glyph = document.querySelector(".verdict .glyph");
    glyph.classList.replace("st-new", "st-wait");
    glyph.firstElementChild.setAttribute("href", glyph.firstElementChild.getAttribute("href").replace("st-new", "st-wait"));
    document.querySelector(".verdict h1").textContent = words.verdict;
    document.querySelector(".verdict p").textContent = words.reason;
    addEventListener("beforeunload", (event) => event.preventDefault());
  }

  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    button.disabled = true;
    say("");
    try {
      pair = pair || await makePair();
    } catch {
      say(words.unable);
      button.hidden = true;
      return;
    }
    try {
      const file = await send(pair.open);
      show(file.config.replace(/^# PrivateKey = .*$/m, `PrivateKey = ${pair.secret}`), file.file_name);
    } catch {
      say(words.failed);
      button.removeAttribute("aria-busy");
      button.disabled = false;
    }
  });

  if (window.crypto && crypto.subtle) {
    button.hidden = false;
  } else {  // over plain http
    say(words.unable);
  }
})();
