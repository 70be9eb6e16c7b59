//! The words of the panel: complete in both languages, none missing, none unused, none of a profile without a name.

use roundsman_core::vocabulary;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Sections whose keys are made at run time from what profiles and queues are called.
const MADE: [&str; 3] = ["group", "queue", "argument"];
/// Words of states that come from the program and not from a profile.
const OURS: [&str; 2] = ["uplink", "unknown"];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All files below a folder with one of these endings, as text.
fn texts(folder: &Path, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path, endings));
        } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            found.push(std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

fn keys(language: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(here(&format!("locales/{language}.toml"))).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let mut keys = BTreeSet::new();
    for (section, words) in table.iter().filter_map(|(name, value)| Some((name, value.as_table()?))) {
        for (word, value) in words {
            let text = value.as_str().unwrap();
            assert!(!text.trim().is_empty(), "{language}: {section}.{word} is empty");
            keys.insert(format!("{section}.{word}"));
        }
    }
    keys
}

/// Everything between quotes in sources and templates that has the form of a key.
fn quoted() -> BTreeSet<String> {
    let mut sources = texts(&here("src"), &[".rs"]);
    sources.extend(texts(&here("templates"), &[".html"]));
    let pieces = sources.iter().flat_map(|text| text.split('"'));
    let is_key = |piece: &&str| {
        piece.split_once('.').is_some_and(|(section, word)| {
            let plain =
                |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            plain(section) && plain(word) && !["html", "js"].contains(&word)
        })
    };
    pieces.filter(is_key).map(str::to_owned).collect()
}

#[test]
fn no_word_is_missing_and_none_is_unused() {
    let (chinese, english) = (keys("zh-CN"), keys("en"));
    assert_eq!(chinese, english, "both languages have the same keys");
    let quoted = quoted();
    let sections: BTreeSet<&str> = chinese.iter().filter_map(|key| Some(key.split_once('.')?.0)).collect();
    let made = |key: &str| MADE.iter().any(|section| key.starts_with(&format!("{section}.")));
    let unused: Vec<&String> = chinese.iter().filter(|key| !made(key) && !quoted.contains(*key)).collect();
    assert!(unused.is_empty(), "no page uses {unused:?}");
    let known = |key: &&String| sections.contains(key.split('.').next().unwrap_or(""));
    let metrics = metrics();
    let missing: Vec<&String> = quoted
        .iter()
        .filter(known)
        .filter(|key| !chinese.contains(*key) && !metrics.contains(*key))
        .collect();
    assert!(missing.is_empty(), "no language has {missing:?}");
}

#[test]
fn both_languages_fill_in_the_same() {
    let read = |language| -> toml::Table {
        std::fs::read_to_string(here(&format!("locales/{language}.toml"))).unwrap().parse().unwrap()
    };
    let (chinese, english) = (read("zh-CN"), read("en"));
    for key in keys("en") {
        let (section, word) = key.split_once('.').unwrap();
        let holds = |table: &toml::Table| table[section][word].as_str().unwrap().contains("%{n}");
        assert_eq!(holds(&chinese), holds(&english), "{key}");
    }
}

/// The words of every `enum` and argument of a shipped profile, its arguments, and the first halves of its metrics'
/// names.
fn of_profiles() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in texts(&here("../../device-profiles"), &[".toml"]) {
        let profile: toml::Table = text.parse().unwrap();
        let list = |name: &str| profile.get(name).and_then(|v| v.as_array()).cloned().unwrap_or_default();
        for table in list("table") {
            if let Some(group) = table.get("group").and_then(|g| g.as_str()) {
                found.insert(format!("group.{group}"));
            }
            for metric in table.get("metric").and_then(|m| m.as_array()).into_iter().flatten() {
                words_of(metric, &mut found);
            }
        }
        let arguments = list("command");
        let arguments = arguments.iter().filter_map(|command| command.get("arg")?.as_table()).flatten();
        for (name, choices) in arguments {
            found.insert(format!("argument.{name}"));
            let words = choices.as_table().into_iter().flatten().filter(|(_, code)| code.is_str());
            found.extend(words.map(|(word, _)| format!("word.{word}")));
        }
        for metric in list("metric").iter().chain(&list("derive")) {
            let name = metric.get("name").and_then(|n| n.as_str()).unwrap_or("");
            found.insert(format!("group.{}", name.split('.').next().unwrap_or("")));
            words_of(metric, &mut found);
        }
    }
    found
}

/// The names of all metrics of the shipped profiles: pages pick readings by them.
fn metrics() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in texts(&here("../../device-profiles"), &[".toml"]) {
        let profile: toml::Table = text.parse().unwrap();
        let list = |table: &toml::Table, name: &str| {
            table.get(name).and_then(|v| v.as_array()).cloned().unwrap_or_default()
        };
        let named = |metric: &toml::Value| metric.get("name").and_then(|n| n.as_str()).map(str::to_owned);
        for table in list(&profile, "table").iter().filter_map(|table| table.as_table()) {
            let group = table.get("group").and_then(|g| g.as_str()).unwrap_or("");
            let names = list(table, "metric");
            found.extend(names.iter().filter_map(named).map(|name| format!("{group}.{name}")));
        }
        found.extend(list(&profile, "metric").iter().chain(&list(&profile, "derive")).filter_map(named));
    }
    found
}

fn words_of(metric: &toml::Value, found: &mut BTreeSet<String>) {
    let words: Vec<&str> = match metric.get("enum") {
        Some(toml::Value::Table(words)) => words.values().filter_map(|word| word.as_str()).collect(),
        Some(toml::Value::Array(words)) => words.iter().filter_map(|word| word.as_str()).collect(),
        _ => return,
    };
    found.extend(words.into_iter().map(|word| format!("word.{word}")));
}

#[test]
fn every_state_argument_and_group_of_a_shipped_profile_has_a_name() {
    let wanted = of_profiles();
    let named = |key: &String| key.starts_with("group.") || key.starts_with("argument.");
    let groups = keys("zh-CN").into_iter().filter(named);
    let words = vocabulary::words().map(|word| format!("word.{word}"));
    let known: BTreeSet<String> = groups.chain(words).collect();
    let without: Vec<&String> =
        wanted.iter().filter(|key| !known.contains(*key) && *key != "group.interface").collect();
    assert!(without.is_empty(), "add to locales or vocabulary: {without:?}");
    let ours = |key: &str| key.strip_prefix("word.").is_some_and(|word| OURS.contains(&word));
    let unused: Vec<&String> = known.iter().filter(|key| !wanted.contains(*key) && !ours(key)).collect();
    assert!(unused.is_empty(), "no shipped profile has {unused:?}");
}
