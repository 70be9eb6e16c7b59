// Keeps a page live: listens to the server's events, asks for the page's own address again with the hashes of the
// parts it has, swaps those that differ, says so when the server is silent, carries an operator's action.
const byId = (id) => document.getElementById(id);
const root = document.documentElement, body = document.body;
const fill = (text, n) => text.replace("%{n}", n);

// ---- words and clock
const units = byId("units").dataset;
const lasting = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return fill(units.s, s);
  if (s < 3600) return fill(units.min, Math.floor(s / 60));
  const [large, many, small, rest] = s < 86400
    ? [units.h, Math.floor(s / 3600), units.min, Math.floor(s / 60) % 60]
    : [units.d, Math.floor(s / 86400), units.h, Math.floor(s / 3600) % 24];
  return fill(large, many) + (rest ? ` ${fill(small, rest)}` : "");
};
let zoneMs = 0; // the site's offset from UTC, read from the server's own clock
const clock = (ms) => new Date(ms + zoneMs).toISOString().slice(11, 19);

// ---- stream: one connection for all pages of this browser, which allows six to a host and no seventh
const SILENCE_MS = 25_000; // two ticks and a half
const LEADER_SILENT_MS = 15_000;
const LOCK = "roundsman-stream";
const channel = "BroadcastChannel" in self ? new BroadcastChannel(LOCK) : null;
const shared = Boolean(channel && navigator.locks);
let source, last, retry = 0, retryTimer, release, giveUp, tickMessage;
let heard = 0, dataAge = null, offset = 0, leaderHeard = Date.now();

function take(message) {
  if (message.kind === "hello") {
    if (source && tickMessage) channel.postMessage(tickMessage);
    return;
  }
  leaderHeard = Date.now();
  if (message.kind === "alive") return;
  if (message.id) last = message.id;
  if (message.kind === "tick") {
    const { time, time_ms, data_age_ms } = JSON.parse(message.data);
    zoneMs = Date.parse(time.slice(0, -6) + "Z") - time_ms;
    heard = message.at;
    offset = time_ms - heard;
    dataAge = data_age_ms;
    paint();
  }
  // A report is costly and changes with the days: each event is no reason to ask for it again.
  if (!("slow" in body.dataset) || Date.now() - asked_at > SLOW_MS) refresh();
}
function send(message) {
  if (message.kind === "tick") tickMessage = message;
  if (shared) channel.postMessage(message);
  take(message);
}
function connect() {
  disconnect();
  source = new EventSource(`/api/v1/events?lang=${root.lang}${last === undefined ? "" : `&last=${last}`}`);
  source.onopen = () => { retry = 0; send({ kind: "open" }); };
  for (const kind of ["tick", "transition", "device", "reset"]) {
    source.addEventListener(kind, ({ data, lastEventId }) => {
      const id = kind === "reset" ? JSON.parse(data).last : kind === "transition" ? lastEventId : undefined;
      send({ kind, data, id, at: Date.now() });
    });
  }
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    retry = Math.min(retry + 1, 4); // at most every 16 s: the veil is gone soon after the server is back
    retryTimer = setTimeout(connect, 1000 * 2 ** retry * (0.5 + Math.random() / 2));
  };
}
function disconnect() { clearTimeout(retryTimer); source?.close(); source = undefined; }

async function listen(steal = false) {
  stop();
  if (!shared) return connect();
  leaderHeard = Date.now();
  channel.postMessage({ kind: "hello" });
  const wish = new AbortController();
  giveUp = () => wish.abort();
  try {
    await navigator.locks.request(LOCK, steal ? { steal } : { signal: wish.signal }, () => {
      if (wish.signal.aborted) return undefined;
      connect();
      return new Promise((done) => { release = done; });
    });
  } catch { /* given up while waiting, or another page took the stream over */
    if (!wish.signal.aborted) { disconnect(); listen(); }
  }
}
function stop() { giveUp?.(); release?.(); giveUp = release = undefined; disconnect(); }
if (channel) channel.onmessage = ({ data }) => take(data);

// ---- swap
const REFRESH_MS = 1_000;
const SLOW_MS = 60_000;
let asked_at = Date.now();
document.querySelector(".place.here")?.scrollIntoView({ block: "nearest" }); // on a low panel the rail is longer than the screen
let wanted = false, running = false;
async function refresh() {
  wanted = true;
  if (running) return;
  running = true;
  while (wanted && !document.hidden) {
    wanted = false;
    asked_at = Date.now();
    const held = [...document.querySelectorAll("[data-hash]")].map((part) => part.dataset.hash).join();
    try {
      const answer = await fetch(location.href.split("#")[0], { cache: "no-store", headers: { "x-held": held } });
      const stamp = answer.headers.get("x-stamp");
      if (stamp) swap(await answer.text(), answer.headers.get("x-parts").split(","), stamp);
    } catch { /* the silence banner tells */ }
    await new Promise((done) => setTimeout(done, REFRESH_MS));
  }
  running = false;
}
const busy = (part) => part.querySelector(":popover-open, input:focus, form[data-kept]");
function swap(html, ids, stamp) {
  const present = [...document.querySelectorAll("[data-hash]")].map((part) => part.id);
  const other = present.length !== ids.length || present.some((id) => !ids.includes(id));
  // Another release, or a page of other parts: nothing here fits any more.
  if ((other || stamp !== body.dataset.stamp) && !document.querySelector("dialog[open], form[data-kept]")) return location.reload();
  const fresh = document.createElement("template");
  fresh.innerHTML = html; // made by our server, names escaped there; the page's policy runs no inline script
  for (const part of fresh.content.querySelectorAll("[data-hash]")) {
    const old = byId(part.id);
    if (!old || busy(old)) continue;
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    const again = focus?.dataset.fault ? `[data-act][data-fault="${CSS.escape(focus.dataset.fault)}"]`
      : focus?.getAttribute("href") ? `a[href="${CSS.escape(focus.getAttribute("href"))}"]` : "";
    const aside = [...old.querySelectorAll(".scroll")].map((region) => region.scrollLeft);
    old.replaceChildren(...part.childNodes);
    old.dataset.hash = part.dataset.hash;
    old.querySelectorAll(".scroll").forEach((region, at) => { region.scrollLeft = aside[at] ?? 0; });
    if (again) old.querySelector(again)?.focus({ preventScroll: true });
  }
  paint();
}

// ---- what grows old
const live = byId("live"), banner = byId("banner");
function paint() {
  const now = Date.now();
  const silent = heard > 0 && now - heard > SILENCE_MS;
  body.classList.toggle("stale", silent);
  live.classList.toggle("on", heard > 0 && !silent);
  if (silent) {
    const text = fill(banner.dataset.text, clock(heard + offset));
    if (banner.textContent !== text) banner.textContent = text;
    byId("live-text").textContent = live.dataset.lost;
  } else if (heard) {
    byId("live-text").textContent = dataAge === null ? live.dataset.waiting
      : fill(live.dataset.age, lasting(dataAge + now - heard));
    byId("now").textContent = clock(now + offset);
  }
  banner.hidden = !silent;
  if (!heard) return;
  for (const time of document.querySelectorAll("time[data-since]")) {
    time.dataset.start ??= time.textContent;
    const age = lasting(now + offset - Number(time.dataset.since));
    time.textContent = time.dataset.word ? `${time.dataset.start} · ${fill(time.dataset.word, age)}` : age;
  }
}

// ---- idle shield: a panel that nobody touches shows the wall view, whose first touch does nothing but leave it
const idleMs = Number(body.dataset.idle ?? 0) * 1000;
const DAY_MS = 86_400_000;
let touched = Date.now();
for (const kind of ["pointerdown", "keydown", "scroll"]) {
  addEventListener(kind, () => { touched = Date.now(); }, { capture: true, passive: true });
}
const onWall = body.classList.contains("layout-wall");
function idle() {
  const quiet = Date.now() - touched;
  const heardNow = Date.now() - heard < SILENCE_MS;
  if (idleMs && !onWall && quiet > idleMs && heardNow && !document.querySelector("dialog[open]")) location.assign("/wall");
  // A page that stays for months begins anew once a day, so that nothing can pile up in the browser.
  if (performance.now() > DAY_MS && quiet > 60_000 && heardNow && !document.querySelector("form[data-kept]")) location.reload();
  // Against burn-in: a few pixels every minute.
  if (onWall) {
    const step = Math.floor(Date.now() / 60_000) % 8;
    byId("main").style.translate = `${[0, 1, 2, 2, 2, 1, 0, 0][step]}px ${[0, 0, 0, 1, 2, 2, 2, 1][step]}px`;
  }
}
if ("panel" in root.dataset) addEventListener("contextmenu", (event) => event.preventDefault());

// ---- actions: the token lives in the tab's session, so that it survives the way from page to page and no longer
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname + location.search);
}
const ask = byId("ask");
let asked;
function withToken(needed) {
  for (const id of ["ask-token", "ask-note"]) byId(id).hidden = !needed;
  byId("ask-token").disabled = !needed;
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (!button || !ask) return;
  asked = { act: button.dataset.act, id: button.dataset.fault, key: [...crypto.getRandomValues(new Uint8Array(16))].join("-") };
  byId("ask-action").textContent = ask.dataset[asked.act];
  byId("ask-number").textContent = button.dataset.number;
  byId("ask-error").textContent = "";
  for (const fields of ask.querySelectorAll("fieldset")) fields.hidden = fields.disabled = fields.dataset.for !== asked.act;
  withToken("token" in body.dataset && !sessionStorage.getItem("token"));
  ask.showModal();
});
// What goes with an act: the fields of the set that is shown.
function told(form) {
  const told = Object.fromEntries(["to", "reason"].filter((name) => form.has(name)).map((name) => [name, form.get(name).trim()]));
  if (form.has("for_min")) told.for_min = Number(form.get("for_min"));
  const more = (form.get("more") ?? "").trim();
  if (more) told.reason = root.lang === "en" ? `${told.reason}: ${more}` : `${told.reason}：${more}`;
  return told;
}
byId("ask-cancel")?.addEventListener("click", () => ask.close());
ask?.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = byId("ask-token");
  const token = field.disabled ? sessionStorage.getItem("token") ?? "" : field.value.trim();
  byId("ask-go").disabled = true;
  try {
    const answer = await fetch(`/api/v1/faults/${asked.id}/${asked.act}?lang=${root.lang}`, {
      method: "POST", headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": asked.key, "Content-Type": "application/json" },
      body: JSON.stringify(told(new FormData(event.target))),
    });
    if (answer.ok) {
      sessionStorage.setItem("token", token);
      event.target.reset();
      ask.close();
      refresh();
      return;
    }
    const problem = await answer.json();
    if (answer.status === 401 || answer.status === 403) {
      sessionStorage.removeItem("token");
      withToken(true);
    }
    byId("ask-error").textContent = `${problem.title} · ${problem.detail}`;
  } catch {
    byId("ask-error").textContent = ask.dataset.failed;
  } finally { byId("ask-go").disabled = false; }
});

addEventListener("pagehide", stop);
addEventListener("pageshow", () => { if (!document.hidden) listen(); });
document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
setInterval(() => {
  paint();
  idle();
  if (document.hidden) return;
  const now = Date.now();
  if (source) {
    if (shared && now % 5_000 < 1_000) channel.postMessage({ kind: "alive" });
    if (now - heard > SILENCE_MS && source.readyState === EventSource.OPEN) connect();
  } else if (shared && now - leaderHeard > LEADER_SILENT_MS) listen(true); // its page is frozen
}, 1000);
