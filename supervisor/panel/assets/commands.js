// Gives a device a command: the form's choices to the API, a second press where the profile asks for one, what came of it.
const root = document.documentElement;
const ARMED_MS = 10_000;
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].join("-");
const words = () => document.getElementById("command-words").dataset;

// What the form is about to do, in words.
function meaning(form) {
  const chosen = [...form.querySelectorAll("fieldset")].map((set) => {
    const radio = set.querySelector("input:checked");
    return radio ? radio.nextElementSibling.textContent : set.querySelector("input[type=number]")?.value;
  });
  return [form.querySelector("h3").textContent, ...chosen.filter(Boolean)].join(" · ");
}
function disarm(form) {
  clearTimeout(form.armed);
  form.armed = undefined;
  form.querySelector("[data-cancel]").hidden = true;
  const go = form.querySelector(".go");
  go.textContent = words().send;
  go.classList.remove("armed");
}
function arm(form) {
  const go = form.querySelector(".go");
  go.textContent = words().again.replace("%{n}", meaning(form));
  go.classList.add("armed");
  form.querySelector("[data-cancel]").hidden = false;
  form.armed = setTimeout(() => disarm(form), ARMED_MS);
}
function askToken(form, needed) {
  const box = form.querySelector(".command-token");
  box.hidden = !needed;
  box.querySelector("input").required = needed;
}
function outcome(report) {
  if (report.verified === "yes") return words().proven;
  if (report.verified === "no") return words().reads;
  return words()[report.verdict] ?? words().failed;
}
function say(form, text, kind = "") {
  const said = form.querySelector(".command-said");
  said.textContent = text;
  said.className = `command-said ${kind}`;
}

// One unit after another, some at a time: the bus takes its own pace, and a panel's browser has few connections.
const AT_ONCE = 3;

// Gives the command to one unit. What was said, or nothing where nobody knows whether it was sent: the same key asks then.
async function give(form, unit, given, token) {
  form.keys ??= new Map();
  if (!form.keys.has(unit)) form.keys.set(unit, newKey());
  try {
    const answer = await fetch(`${form.dataset.action}?lang=${root.lang}`, {
      method: "POST", body: JSON.stringify({ unit, arguments: given }),
      headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": form.keys.get(unit), "Content-Type": "application/json" },
    });
    const said = await answer.json();
    form.keys.delete(unit);
    return { status: answer.status, said };
  } catch {
    return undefined;
  }
}
// What came of it, in words, and whether it is good.
function meant(reply) {
  if (!reply) return [words().lost, false];
  const { status, said } = reply;
  return status === 200 ? [outcome(said), said.good] : [`${said.title} · ${said.detail}`, false];
}
async function giveEach(form, units, given, token) {
  const replies = new Map();
  const waiting = [...units];
  const tell = () => say(form, words().everyRunning.replace("%{n}", `${replies.size}/${units.length}`));
  tell();
  const worker = async () => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      const reply = await give(form, unit, given, token);
      replies.set(unit, reply);
      tell();
      // Whoever may not give one may give none.
      if (reply && [401, 403].includes(reply.status)) waiting.length = 0;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return replies;
}

async function send(form) {
  const field = form.querySelector(".command-token input");
  const token = field.value.trim() || sessionStorage.getItem("token") || "";
  const pairs = [...form.querySelectorAll("[data-argument]")].map((set) => {
    const input = set.querySelector("input:checked, input[type=number]");
    return [set.dataset.argument, input.value];
  });
  const given = Object.fromEntries(pairs);
  const chosen = form.querySelector("[data-units] input:checked")?.value ?? "";
  const go = form.querySelector(".go");
  go.disabled = true;
  const began = Date.now();
  const tick = () => say(form, words().running.replace("%{n}", Math.floor((Date.now() - began) / 1000)));
  const ticking = chosen === "*" ? undefined : setInterval(tick, 1_000);
  let replies;
  if (chosen === "*") {
    const units = [...form.querySelectorAll("[data-units] input:enabled")].map((input) => input.value).filter((unit) => unit !== "*");
    replies = await giveEach(form, units, given, token);
  } else {
    tick();
    replies = new Map([[chosen, await give(form, chosen, given, token)]]);
  }
  clearInterval(ticking);
  go.disabled = false;
  const barred = [...replies.values()].find((reply) => reply && [401, 403].includes(reply.status));
  const bad = [...replies].filter(([, reply]) => !meant(reply)[1]);
  if (barred) {
    sessionStorage.removeItem("token");
    askToken(form, true);
    field.focus();
    return say(form, meant(barred)[0], "is-major");
  }
  sessionStorage.setItem("token", token);
  field.value = "";
  askToken(form, false);
  if (chosen !== "*") {
    const [text, good] = meant(replies.get(chosen));
    say(form, text, good ? "is-ok" : "is-major");
  } else if (bad.length === 0) say(form, words().everyGood.replace("%{n}", replies.size), "is-ok");
  else say(form, words().everyBad.replace("%{n}", bad.map(([unit, reply]) => `${unit} ${meant(reply)[0]}`).join("; ")), "is-major");
  if (bad.length === 0) delete form.dataset.kept;
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form.command");
  if (!form) return;
  event.preventDefault();
  if ("twoStep" in form.dataset && !form.armed) return arm(form);
  disarm(form);
  send(form);
});
// What was chosen survives the swap of the parts around it.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.command");
  if (!form) return;
  form.dataset.kept = "";
  form.keys = undefined;
  if (form.armed) disarm(form);
  if (!sessionStorage.getItem("token") && "token" in document.body.dataset) askToken(form, true);
});
document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-cancel]")?.closest("form.command");
  if (form) disarm(form);
});
