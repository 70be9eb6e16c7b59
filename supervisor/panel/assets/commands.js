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

async function send(form) {
  const field = form.querySelector(".command-token input");
  const token = field.value.trim() || sessionStorage.getItem("token") || "";
  const given = [...form.querySelectorAll("[data-argument]")].map((set) => {
    const input = set.querySelector("input:checked, input[type=number]");
    return [set.dataset.argument, input.value];
  });
  const body = { unit: form.querySelector("[data-units] input:checked")?.value ?? "", arguments: Object.fromEntries(given) };
  const go = form.querySelector(".go");
  go.disabled = true;
  const began = Date.now();
  const tick = () => say(form, words().running.replace("%{n}", Math.floor((Date.now() - began) / 1000)));
  const ticking = setInterval(tick, 1_000);
  tick();
  try {
    const answer = await fetch(`${form.dataset.action}?lang=${root.lang}`, {
      method: "POST", body: JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": form.key, "Content-Type": "application/json" },
    });
    const said = await answer.json();
    form.key = undefined;
    if (answer.ok) {
      sessionStorage.setItem("token", token);
      field.value = "";
      askToken(form, false);
      say(form, outcome(said), said.good ? "is-ok" : "is-major");
      delete form.dataset.kept;
    } else {
      if (answer.status === 401 || answer.status === 403) {
        sessionStorage.removeItem("token");
        askToken(form, true);
        field.focus();
      }
      say(form, `${said.title} · ${said.detail}`, "is-major");
    }
  } catch { // nobody knows whether it was sent: the same key asks what became of it
    say(form, words().lost, "is-major");
  } finally {
    clearInterval(ticking);
    go.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form.command");
  if (!form) return;
  event.preventDefault();
  if ("twoStep" in form.dataset && !form.armed) return arm(form);
  disarm(form);
  form.key ??= newKey();
  send(form);
});
// What was chosen survives the swap of the parts around it.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.command");
  if (!form) return;
  form.dataset.kept = "";
  form.key = undefined;
  if (form.armed) disarm(form);
  if (!sessionStorage.getItem("token") && "token" in document.body.dataset) askToken(form, true);
});
document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-cancel]")?.closest("form.command");
  if (form) disarm(form);
});
