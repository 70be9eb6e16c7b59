//! Where profiles and their recordings are read from: the binary itself, or a folder of the site.

use crate::diagnostic::{Diagnostic, Findings, Source};
use crate::schema::MOST_BYTES;
use crate::snmprec;
use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Everything under `device-profiles/`: name, text.
static EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Most profile files of a folder.
const MOST_FILES: usize = 2_000;

/// Deepest folder that is looked into: class, fixtures, and some room.
const DEEPEST: usize = 4;

/// Where a profile came from; its recordings lie beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Embedded in the program, under this name.
    Embedded(&'static str),
    /// A file.
    File(PathBuf),
}

impl Origin {
    /// The text of a recording named relative to the profile's file.
    pub(crate) fn recording(&self, name: &str) -> Result<Cow<'static, str>, String> {
        let plain = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
        if !plain {
            return Err(format!("`{name}` must name a file below the profile's folder"));
        }
        match self {
            Origin::Embedded(profile) => {
                let folder = profile.rsplit_once('/').map_or("", |(folder, _)| folder);
                let whole = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                let found = EMBEDDED.iter().find(|(known, _)| *known == whole);
                let found = found.map(|(_, text)| Cow::Borrowed(*text));
                found.ok_or_else(|| format!("there is no recording `{whole}` in this program"))
            }
            Origin::File(profile) => {
                let path = profile.parent().unwrap_or(Path::new("")).join(name);
                read(&path, snmprec::MOST_BYTES)
                    .map(Cow::Owned)
                    .map_err(|error| format!("`{name}` cannot be read: {error}"))
            }
        }
    }
}

/// The embedded profile files.
pub(super) fn embedded() -> Vec<(Origin, Arc<Source>)> {
    let profiles = EMBEDDED.iter().filter(|(name, _)| name.ends_with(".toml"));
    profiles.map(|(name, text)| (Origin::Embedded(name), Source::new(*name, *text))).collect()
}

/// The profile files in a folder and below it, or one file.
pub(super) fn on_disk(path: &Path, found: &mut Findings) -> Vec<(Origin, Arc<Source>)> {
    let mut paths = Vec::new();
    if path.is_dir() {
        collect(path, 0, &mut paths, found);
    } else {
        paths.push(path.to_owned());
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match read(&path, MOST_BYTES) {
            Ok(text) => files.push((Origin::File(path.clone()), Source::new(path.to_string_lossy(), text))),
            Err(error) => {
                let what = format!("{} cannot be read: {error}", path.display());
                found.note(Diagnostic::unreadable(what).hint("check its name and its access rights"));
            }
        }
    }
    files
}

fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>, found: &mut Findings) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let what = format!("the folder {} cannot be read: {error}", folder.display());
            found.note(Diagnostic::unreadable(what).hint("check its name and its access rights"));
            return;
        }
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() && depth < DEEPEST {
            collect(&path, depth + 1, paths, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            if paths.len() >= MOST_FILES {
                found.note(Diagnostic::unreadable(format!(
                    "more than {MOST_FILES} profiles in {}",
                    folder.display()
                )));
                return;
            }
            paths.push(path);
        }
    }
}

/// A file's text, if it has no more than `most` bytes and is UTF-8.
fn read(path: &Path, most: usize) -> Result<String, String> {
    let mut text = String::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut file = file.take(most as u64 + 1);
    file.read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() > most {
        return Err(format!("it has more than {most} bytes"));
    }
    Ok(text)
}
