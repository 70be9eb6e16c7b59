// Keeps the overview live: listens to /api/v1/events, fetches the page's parts anew at most once a second, swaps
// those whose hash changed, and says so when the server is silent.
const zh = document.documentElement.lang.startsWith("zh");
const say = (chinese, english) => (zh ? chinese : english);
const byId = (id) => document.getElementById(id);
const SILENCE_MS = 25_000; // two ticks and a half
const REFRESH_MS = 1_000;

// The token lives in this variable and nowhere else.
let token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
if (token) history.replaceState(null, "", location.pathname + location.search);

let source, last, retry = 0, retryTimer;
let heard = 0, dataAge = null, offset = 0;

const age = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [n, cn, en] = s < 60 ? [s, "秒", "s"] : s < 3600 ? [Math.floor(s / 60), "分钟", "min"]
    : s < 86400 ? [Math.floor(s / 3600), "小时", "h"] : [Math.floor(s / 86400), "天", "d"];
  return `${n} ${say(cn, en)}`;
};

function paint() {
  const now = Date.now();
  const silent = heard > 0 && now - heard > SILENCE_MS;
  document.body.classList.toggle("stale", silent);
  byId("live").classList.toggle("on", heard > 0 && !silent && source?.readyState === EventSource.OPEN);
  byId("banner").hidden = !silent;
  if (silent) {
    const at = clock(heard + offset);
    byId("banner").textContent = say(
      `与服务器失去联系，以下为 ${at} 的状态，正在自动重连。请检查巡检主机供电与网络。`,
      `No contact with the server. What you see is from ${at}; reconnecting. Check the box's power and network.`);
    byId("live-text").textContent = say("已断开", "Disconnected");
  } else if (heard) {
    const old = dataAge === null ? null : dataAge + now - heard;
    byId("live-text").textContent = old === null ? say("等待首批数据", "Waiting for first data")
      : say(`数据更新于 ${age(old)}前`, `Data ${age(old)} old`);
    byId("now").textContent = clock(now + offset);
  }
  if (heard) for (const time of document.querySelectorAll("time[data-since]")) {
    time.dataset.start ??= time.textContent;
    time.textContent = `${time.dataset.start} · ${say("已持续 ", "")}${age(now + offset - Number(time.dataset.since))}`;
  }
}

let zoneMs = 0; // the site's offset from UTC, read from the server's own clock
const clock = (ms) => new Date(ms + zoneMs).toISOString().slice(11, 19);
function tick(event) {
  const { time, time_ms, data_age_ms } = JSON.parse(event.data);
  zoneMs = Date.parse(time.slice(0, -6) + "Z") - time_ms;
  heard = Date.now();
  offset = time_ms - heard;
  dataAge = data_age_ms;
  paint();
}

let wanted = false, running = false;
async function refresh() {
  wanted = true;
  if (running) return;
  running = true;
  while (wanted) {
    wanted = false;
    try {
      const answer = await fetch(`/fragment/overview?lang=${zh ? "zh-CN" : "en"}`, { cache: "no-store" });
      if (answer.ok) swap(await answer.text());
    } catch { /* the silence banner tells */ }
    await new Promise((done) => setTimeout(done, REFRESH_MS));
  }
  running = false;
}

function swap(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html; // made by our server, names escaped there; the page's policy runs no inline script
  const parts = [...fresh.content.querySelectorAll("[data-hash]")];
  const present = document.querySelectorAll("#overview [data-hash]").length;
  const held = document.activeElement?.dataset?.acknowledge;
  if (parts.length !== present) byId("overview").replaceChildren(fresh.content);
  else for (const part of parts) {
    const old = byId(part.id);
    if (old.dataset.hash !== part.dataset.hash) old.replaceWith(part);
  }
  if (held) document.querySelector(`[data-acknowledge="${CSS.escape(held)}"]`)?.focus();
  paint();
}

function open() {
  close();
  const query = new URLSearchParams({ lang: zh ? "zh-CN" : "en" });
  if (last !== undefined) query.set("last", last);
  source = new EventSource(`/api/v1/events?${query}`);
  source.onopen = () => { retry = 0; refresh(); };
  source.addEventListener("tick", tick);
  source.addEventListener("transition", (event) => { last = event.lastEventId; refresh(); });
  source.addEventListener("device", refresh);
  source.addEventListener("reset", (event) => { last = JSON.parse(event.data).last; refresh(); });
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    retry = Math.min(retry + 1, 5);
    retryTimer = setTimeout(open, 1000 * 2 ** retry * (0.5 + Math.random() / 2));
  };
}
function close() { clearTimeout(retryTimer); source?.close(); }

const ask = byId("ask");
let asked;
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-acknowledge]");
  if (!button) return;
  asked = { id: button.dataset.acknowledge, key: [...crypto.getRandomValues(new Uint8Array(16))].join("-") };
  byId("ask-number").textContent = button.dataset.number;
  byId("ask-error").textContent = "";
  byId("ask-token").hidden = byId("ask-note").hidden = token !== "" || !("token" in document.body.dataset);
  byId("ask-token").disabled = byId("ask-token").hidden;
  ask.showModal();
});
byId("ask-cancel").addEventListener("click", () => ask.close());
ask.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = byId("ask-token").disabled ? token : byId("ask-token").value.trim();
  byId("ask-go").disabled = true;
  try {
    const answer = await fetch(`/api/v1/faults/${asked.id}/acknowledge?lang=${zh ? "zh-CN" : "en"}`, {
      method: "POST", headers: { Authorization: `Bearer ${given}`, "Idempotency-Key": asked.key },
    });
    if (answer.ok) { token = given; byId("ask-token").value = ""; ask.close(); refresh(); return; }
    const problem = await answer.json();
    if (answer.status === 401 || answer.status === 403) {
      token = "";
      byId("ask-token").disabled = byId("ask-token").hidden = byId("ask-note").hidden = false;
    }
    byId("ask-error").textContent = say(`${problem.title}。${problem.detail}`, `${problem.title}. ${problem.detail}`);
  } catch {
    byId("ask-error").textContent = say("未能送达服务器，请重试。", "The server could not be reached; try again.");
  } finally { byId("ask-go").disabled = false; }
});

addEventListener("pagehide", close);
addEventListener("pageshow", open);
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
setInterval(() => { paint(); if (heard && Date.now() - heard > SILENCE_MS && source.readyState === EventSource.OPEN) open(); }, 1000);
