/* Passkeys: what only the browser can do. A form with data-passkey ("create" or "get") is shown where the
   browser knows them; its button asks for the credential, which is sent as the field of that name. */
"use strict";

(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  function read(given) {
    const key = structuredClone(given.publicKey);
    key.challenge = bytes(key.challenge);
    if (key.user) key.user.id = bytes(key.user.id);
    for (const known of [...(key.excludeCredentials || []), ...(key.allowCredentials || [])]) known.id = bytes(known.id);
    return key;
  }

  function written(credential) {
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[part]) response[part] = text(credential.response[part]);
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
  }

  // Options stand in the page, or are asked for where nobody is known yet.
  async function options(form) {
    const place = form.dataset.options && document.getElementById(form.dataset.options);
    if (place) return JSON.parse(place.textContent)[form.dataset.passkey === "create" ? "creation_options" : "request_options"];
    const answer = await fetch(form.action, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).request_options;
  }

  async function ask(form) {
    const publicKey = read(await options(form));
    if (form.dataset.passkey === "get") return navigator.credentials.get({ publicKey });
    const alone = form.elements.passwordless.checked;
    Object.assign(publicKey.authenticatorSelection, {
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      userVerification: alone ? "required" : publicKey.authenticatorSelection.userVerification,
    });
    return navigator.credentials.create({ publicKey });
  }

  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("button");
    const failed = form.querySelector("[data-passkey-failed]");
    form.hidden = false;
    button.addEventListener("click", async () => {
      button.setAttribute("aria-busy", "true");
      failed.hidden = true;
      try {
        form.elements.credential.value = written(await ask(form));
        form.submit();
      } catch {
        failed.hidden = false;
        button.removeAttribute("aria-busy");
      }
    });
    form.addEventListener("submit", (event) => {      // Enter in the name means the button
      if (!form.elements.credential.value) {
        event.preventDefault();
        button.click();
      }
    });
  }
})();
