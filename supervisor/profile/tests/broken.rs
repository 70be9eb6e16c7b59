//! Broken profiles, each refused with an error that points at the place. The drawings are goldens.

use roundsman_profile::catalogue::{Catalogue, Origin};
use roundsman_profile::diagnostic::Rejected;
use roundsman_profile::proof;
use std::path::{Path, PathBuf};

/// What `profile test` says of one file: errors of the schema, else those of the proof.
fn refuse(path: &Path) -> Option<Rejected> {
    let catalogue = match Catalogue::with_folder(path) {
        Ok(catalogue) => catalogue,
        Err(rejected) => return Some(rejected),
    };
    let item = catalogue
        .list()
        .find(|item| item.origin == Origin::File(path.to_owned()))
        .expect("the file's profile is in the catalogue");
    proof::prove(item).err()
}

#[test]
fn every_broken_profile_is_refused_at_its_place() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir("tests/broken")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 100);
    for path in paths {
        let rejected = refuse(&path).unwrap_or_else(|| panic!("{} was not refused", path.display()));
        for diagnostic in rejected.diagnostics() {
            let at = diagnostic.at.as_ref().expect("every error has a place");
            assert_eq!(Path::new(at.file()).file_name(), path.file_name(), "{diagnostic}");
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        insta::assert_snapshot!(name, rejected.render(false));
    }
}
