/*
 * wgOptimized: add, remove and apply WireGuard peers without disturbing the others.
 *
 * On vwg's own pages it works as it is: same origin, the session's cookie, and the CSRF token from
 * <meta name="csrf-token"> or from the cookie that <meta name="vwg-csrf-cookie"> names.
 * On a reseller's panel: wgOptimized.configure({baseUrl: "https://vpn.example.com", token: "vwg_…"}).
 *
 * Every call returns a promise of the answer's JSON and rejects with an Error that carries
 * `status` (0: no answer) and `body`. While calls are under way, `document` hears "wg-optimized:loading"
 * with detail {loading, pending}. Classic script, no dependency, nothing inline.
 */
(function () {
  "use strict";

  var INTERVAL = 5000; // ms between two looks at the status
  var settings = { baseUrl: "", token: "", wait: 0, timeout: 30000 };
  var pending = 0;
  var monitor = null;

  function metaContent(name) {
    var found = document.querySelector('meta[name="' + name + '"]');
    return found ? found.getAttribute("content") || "" : "";
  }

  function cookieValue(name) {
    var parts = document.cookie ? document.cookie.split("; ") : [];
    for (var i = 0; i < parts.length; i += 1) {
      if (name && parts[i].indexOf(name + "=") === 0) {
        return decodeURIComponent(parts[i].slice(name.length + 1));
      }
    }
    return "";
  }

  function csrfToken() {
    return metaContent("csrf-token") || cookieValue(metaContent("vwg-csrf-cookie") || "vwg-csrf");
  }

  function announce(change) {
    pending += change;
    document.dispatchEvent(
      new CustomEvent("wg-optimized:loading", {
        detail: { loading: pending > 0, pending: pending },
      })
    );
  }

  function headersFor(method, wait) {
    var headers = { Accept: "application/json" };
    if (settings.token) {
      headers.Authorization = "Bearer " + settings.token;
    } else if (method !== "GET") {
      headers["X-CSRFToken"] = csrfToken();
    }
    if (method !== "GET") {
      headers["Content-Type"] = "application/json";
      if (wait > 0) {
        headers.Prefer = "wait=" + Math.floor(wait);
      }
    }
    return headers;
  }

  function failure(message, status, body) {
    var error = new Error(message);
    error.name = "WgOptimizedError";
    error.status = status;
    error.body = body;
    return error;
  }

  function read(response) {
    return response.text().then(function (text) {
      var body = null;
      try {
        body = text ? JSON.parse(text) : null;
      } catch (ignored) {
        body = null; // a proxy's HTML page, say; the status tells enough
      }
      if (!response.ok || body === null || body.success === false) {
        var said = body && (body.message || body.detail);
        throw failure(said || "HTTP " + response.status, response.status, body);
      }
      return body;
    });
  }

  function call(method, path, body, options) {
    var quiet = Boolean(options && options.quiet);
    var wait = options && options.wait !== undefined ? options.wait : settings.wait;
    var abort = new AbortController();
    var timer = setTimeout(function () {
      abort.abort();
    }, settings.timeout);
    var request = {
      method: method,
      headers: headersFor(method, wait),
      credentials: settings.token ? "omit" : "same-origin",
      cache: "no-store",
      signal: abort.signal,
    };
    if (method !== "GET") {
      request.body = JSON.stringify(body || {});
    }
    if (!quiet) {
      announce(1);
    }
    return fetch(settings.baseUrl + path, request)
      .then(read, function (cause) {
        var late = cause && cause.name === "AbortError";
        throw failure(late ? "The server did not answer in time." : "No connection.", 0, null);
      })
      .finally(function () {
        clearTimeout(timer);
        if (!quiet) {
          announce(-1);
        }
      });
  }

  function statusPath(name) {
    return "/api/wg/status" + (name ? "?interface=" + encodeURIComponent(name) : "");
  }

  function startMonitoring(callback, options) {
    stopMonitoring();
    var mine = { stopped: false, timer: 0 };
    monitor = mine;
    function look() {
      mine.timer = 0;
      if (document.hidden) {
        mine.timer = setTimeout(look, INTERVAL); // nobody is looking: spare the server
        return;
      }
      call("GET", statusPath(options && options.interface), null, { quiet: true })
        .then(
          function (status) {
            return mine.stopped ? undefined : callback(null, status);
          },
          function (error) {
            return mine.stopped ? undefined : callback(error, null);
          }
        )
        .finally(function () {
          if (!mine.stopped) {
            mine.timer = setTimeout(look, INTERVAL); // counted from the answer: never two at once
          }
        });
    }
    look();
    return function () {
      if (monitor === mine) {
        stopMonitoring();
      }
    };
  }

  function stopMonitoring() {
    if (monitor) {
      monitor.stopped = true;
      clearTimeout(monitor.timer);
      monitor = null;
    }
  }

  window.wgOptimized = Object.freeze({
    /** {baseUrl, token, wait (seconds, 0 to 20), timeout (ms)}; what is left out stays. */
    configure: function (wanted) {
      Object.keys(settings).forEach(function (name) {
        if (wanted && wanted[name] !== undefined) {
          settings[name] = wanted[name];
        }
      });
      settings.baseUrl = String(settings.baseUrl).replace(/\/+$/, "");
    },
    /** {public_key, allowed_ips, preshared_key?, persistent_keepalive?, endpoint?, name?, interface?} */
    addPeer: function (peer, options) {
      return call("POST", "/api/wg/add-peer", peer, options);
    },
    /** A public key, or {public_key, interface?}. */
    removePeer: function (peer, options) {
      var body = typeof peer === "string" ? { public_key: peer } : peer;
      return call("POST", "/api/wg/remove-peer", body, options);
    },
    /** Nothing, or {interface}. */
    applyConfig: function (what, options) {
      return call("POST", "/api/apply-wg-config", what, options);
    },
    getStatus: function (what) {
      return call("GET", statusPath(what && what.interface), null, null);
    },
    /** Calls callback(error, status) now and every 5 s; returns a function that stops it. */
    startMonitoring: startMonitoring,
    stopMonitoring: stopMonitoring,
  });
})();
