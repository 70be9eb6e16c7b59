//! Site files through the binary: bad ones are refused with file, line and a hint, good ones say what they hold.
//! What is printed is a golden: read it as the person who wrote the file at two in the morning.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs `roundsman check` on `file` in `folder`, so that every path printed is relative to it.
fn check(folder: &Path, file: &str, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["check", "--config", file])
        .args(options)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .output()
        .expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// What a refused file printed; checks what holds for all of them.
fn refused(folder: &Path, file: &str) -> String {
    let output = check(folder, file, &[]);
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{file}:\n{printed}");
    assert!(!printed.contains("panicked"), "{file}:\n{printed}");
    assert!(!printed.contains('\u{1b}'), "no colours into a pipe, {file}:\n{printed}");
    assert_eq!(text(&output.stdout), "", "{file}: errors go to standard error");

    let as_json = check(folder, file, &["--json"]);
    assert_eq!(as_json.status.code(), Some(2), "{file} --json");
    let json: serde_json::Value = serde_json::from_slice(&as_json.stdout).expect("JSON");
    assert_eq!(json["ok"], false);
    let errors = json["errors"].as_array().expect("a list of errors");
    assert!(!errors.is_empty(), "{file}: {json}");
    printed
}

fn bad_sites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-sites")
}

#[test]
fn every_bad_site_file_is_refused_at_its_line() {
    let folder = bad_sites();
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder of bad files")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 30, "{} files", files.len());
    for file in files {
        let printed = refused(&folder, &file);
        for error in printed.split("  × ").skip(1) {
            // Files that the site file names have lines of their own.
            let is_placed = [".toml:", ".csv:"].iter().any(|end| error.contains(end));
            assert!(is_placed, "{file} names no line:\n{error}");
            // TOML's own errors say what they expect.
            let hinted = error.contains("help: ") || error.starts_with("this is no valid TOML");
            assert!(hinted, "{file} has no hint:\n{error}");
        }
        let name = file.trim_end_matches(".toml");
        insta::assert_snapshot!(format!("bad_{name}"), printed);
    }
}

#[test]
fn what_is_no_site_file_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("folder.toml")).expect("a folder");
    // One byte more than is read; sparse, so it costs nothing.
    let large = std::fs::File::create(folder.path().join("large.toml")).expect("a file");
    large.set_len((8 << 20) + 1).expect("its length");
    for name in ["missing", "folder", "large"] {
        let printed = refused(folder.path(), &format!("{name}.toml"));
        insta::assert_snapshot!(format!("no_file_{name}"), printed);
    }
}

#[test]
fn wrong_use_is_exit_2_too() {
    let folder = bad_sites();
    for arguments in [
        &["check"][..],
        &["chekc"],
        &["run", "--config", "no-such.toml"],
        &["poll", "--config", "../good-sites/minimal.toml", "rt-provinz"],
        &["poll", "--config", "key-near-miss.toml", "rt-province"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .args(arguments)
            .current_dir(&folder)
            .output()
            .expect("the binary starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(!output.stderr.is_empty(), "{arguments:?} says why");
    }
}

/// Copies a good file and what it names to a folder of its own; git keeps no modes, so they are set here.
fn good(name: &str) -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/good-sites");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [
        (name, 0o644),
        ("secret", 0o600),
        ("open-secret", 0o644),
        ("auth-key", 0o600),
        ("priv-key", 0o600),
        ("open-secret-key", 0o644),
        ("holidays.csv", 0o644),
    ];
    for (file, mode) in files {
        let to = folder.path().join(file);
        std::fs::copy(from.join(file), &to).expect("a copy");
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(mode)).expect("its mode");
    }
    std::fs::create_dir(folder.path().join("profiles")).expect("a folder");
    let profile = "profiles/branch-router.toml";
    std::fs::copy(from.join(profile), folder.path().join(profile)).expect("a copy");
    folder
}

#[test]
fn good_site_files_say_what_they_hold() {
    for name in ["minimal", "full", "v3"] {
        let file = format!("{name}.toml");
        let folder = good(&file);
        let output = check(folder.path(), &file, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        insta::assert_snapshot!(format!("good_{name}"), text(&output.stdout));
        let output = check(folder.path(), &file, &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        insta::assert_snapshot!(format!("good_{name}_json"), text(&output.stdout));
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(left.len(), 8, "check writes nothing: {left:?}");
    }
}
