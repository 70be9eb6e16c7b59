// Sends the form of a maintenance record or of an amendment to the API, shows each refusal at its field, prints a sheet.
const root = document.documentElement;
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].join("-");
const form = document.querySelector("form[data-record]");
let key = newKey();

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
  const add = event.target.closest("[data-add]");
  if (!add) return;
  const entry = add.previousElementSibling.cloneNode(true);
  for (const control of entry.children) control.value = "";
  add.before(entry);
  entry.firstElementChild.focus();
});

// What a field says, as the API takes it.
function value(field) {
  const entries = [...field.querySelectorAll(".entry")].map((entry) => [...entry.children].map((c) => c.value.trim()));
  switch (field.dataset.shape) {
    case "devices": return entries.flat().filter(Boolean);
    case "faults": return entries.flat().filter(Boolean).map(Number);
    case "parts":
      return entries.filter((cells) => cells.some(Boolean))
        .map(([name, old_serial, new_serial]) => ({ name, old_serial, new_serial }));
    default: return field.querySelector("input, select, textarea").value.trim() || null;
  }
}
function content() {
  const fields = [...form.querySelectorAll("[data-field]")].map((field) => [field.dataset.field, value(field)]);
  if (form.dataset.record === "new") return Object.fromEntries(fields);
  const [[field, changed], ...rest] = fields;
  return { field, value: changed, ...Object.fromEntries(rest) };
}

function askToken(needed) {
  const box = document.getElementById("record-token");
  if (box) box.hidden = !needed;
}
function say(problem) {
  for (const place of form.querySelectorAll(".wrong")) place.textContent = "";
  const fields = (problem.errors ?? []).map(({ field, detail }) => {
    const at = form.querySelector(`[data-field="${CSS.escape(field)}"]`);
    if (at) at.querySelector(".wrong").textContent = detail;
    return at;
  });
  document.getElementById("record-error").textContent = problem.errors ? problem.title : `${problem.title} · ${problem.detail}`;
  fields.find(Boolean)?.querySelector("input, select, textarea").focus();
}

if (form) {
  askToken(!sessionStorage.getItem("token"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const typed = document.getElementById("record-token-field");
    const token = typed?.value.trim() || sessionStorage.getItem("token") || "";
    const go = form.querySelector("button.go");
    go.disabled = true;
    try {
      const answer = await fetch(`${form.dataset.action}?lang=${root.lang}`, {
        method: "POST", body: JSON.stringify(content()),
        headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": key, "Content-Type": "application/json" },
      });
      const said = await answer.json();
      if (answer.ok) {
        sessionStorage.setItem("token", token);
        location.assign(`/records/${said.number}`);
        return;
      }
      if (answer.status < 500) key = newKey(); // nothing was written under the old one
      if (answer.status === 401 || answer.status === 403) {
        sessionStorage.removeItem("token");
        askToken(true);
        typed.focus();
      }
      say(said);
    } catch {
      document.getElementById("record-error").textContent = form.dataset.failed;
    }
    go.disabled = false;
  });
}
