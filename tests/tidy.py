#!/usr/bin/env python3
"""Tidiness as a test: floors of the crates, no clock below the shell, module documents, names that say nothing."""
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOORS = {
    "core": set(),
    "registers": set(),
    "rtu": set(),
    "probe": {"registers", "rtu"},
    "wire": {"core", "rtu"},
    "store": {"core"},
    "simulator": {"core", "probe", "registers", "rtu"},
    "profile": {"core", "rtu", "wire"},
    "driver": {"core", "wire", "profile"},
    "report": {"core"},
    "panel": {"core", "store", "profile", "report"},
    "app": {"core", "wire", "profile", "driver", "store", "report", "panel", "simulator"},
}
# Shared with the boards, so beside the supervisor.
FIRMWARE = {"probe", "registers", "rtu"}
# Outside of tests nothing may panic on what comes from the network or a file. (A parser's own `expect(")")` answers
# with an error.)
PANICS = re.compile(r'\.unwrap\(\)|\.expect\("[^"]{2,}|\b(panic|unreachable)!\(')
INNER_TESTS = re.compile(r"^#\[cfg\(test\)\]\nmod \w+ \{.*?^\}", re.MULTILINE | re.DOTALL)
NAMELESS = re.compile(r"^(utils?|helpers?|common|misc|manager)\.rs$")
DOMAIN_REFUSES = {"tokio", "serde", "serde_json", "rusqlite", "tracing", "chrono", "jiff"}

wrong = []
for crate, allowed in FLOORS.items():
    folder = ROOT / ("firmware" if crate in FIRMWARE else "supervisor") / crate
    manifest = tomllib.loads((folder / "Cargo.toml").read_text())
    dependencies = manifest.get("dependencies", {})
    ours = {name.removeprefix("roundsman-") for name in dependencies if name.startswith("roundsman-")}
    for stranger in sorted(ours - allowed):
        wrong.append(f"{folder.relative_to(ROOT)}: depends on {stranger}, which is not below it")
    if crate == "core":
        for stranger in sorted(DOMAIN_REFUSES & set(dependencies)):
            wrong.append(f"supervisor/core: the domain does without {stranger}")
    for file in sorted(folder.rglob("*.rs")):
        name = file.relative_to(ROOT)
        text = file.read_text()
        if NAMELESS.match(file.name):
            wrong.append(f"{name}: the name says nothing; name it for what it does")
        if "tests" not in file.parts and file.name != "tests.rs" and not text.lstrip().startswith("//!"):
            wrong.append(f"{name}: opens without a module document")
        if re.search(r"\b(todo!|unimplemented!)\(|// ?(TODO|FIXME|XXX)\b", text):
            wrong.append(f"{name}: unfinished mark")
        if "src" in file.parts and "tests" not in file.parts and file.name != "tests.rs":
            for line in INNER_TESTS.sub("", text).splitlines():
                if PANICS.search(line) and not line.lstrip().startswith("//"):
                    wrong.append(f"{name}: may panic: {line.strip()}")

for line in wrong:
    print(line)
print(f"{len(wrong)} untidy places")
sys.exit(bool(wrong))
