//! `fairgate docs export`: the reference as static files.

use super::{Out, reach::Reach};
use crate::{
    cli::{Docs, Export},
    failure::Failure,
    output,
};
use config::Config;
use control::{ListMaintenance, Place, serve::window, system_clock};
use gateway::{maintenance::Window, settings::ServedDocument};
use reference::Site;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs, io,
    io::Write,
    path::{Component, Path, PathBuf},
    process::ExitCode,
};

/// Names the files of an export, so that the next one knows its own and removes obsolete ones.
const MANIFEST: &str = "fairgate-docs.json";
/// A manifest larger than this is not ours.
const MAX_MANIFEST_SIZE: u64 = 64 << 20;

pub(super) fn run(command: Docs, config: Config, out: &mut Out<'_>) -> Result<ExitCode, Failure> {
    match command {
        Docs::Export(export) => write(export, config, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(wanted: Export, config: Config, out: &mut Out<'_>) -> Result<(), Failure> {
    let folder = wanted.folder.as_path();
    let before = earlier(folder, wanted.force)?;
    let live = gateway::live(&maintenance(config.clone()), system_clock());
    let settings = config.for_export();
    let site = Site::new(gateway::reference_of(&settings, settings.listen.address));
    let documents: Vec<(&str, &[u8])> =
        settings.document.iter().flat_map(|document| document_files(document)).collect();
    let names = documents.iter().map(|(name, _)| (*name).to_owned());
    let files: BTreeSet<String> = site.file_names().chain(names).collect();

    // What is written is noted first: an export that is cut off is still known as one.
    let both: BTreeSet<&String> = before.union(&files).collect();
    put(folder, MANIFEST, manifest(both).as_bytes())?;
    let mut bytes = 0;
    for file in site.export(&live) {
        bytes += file.text.len();
        put(folder, &file.path, file.text.as_bytes())?;
    }
    for (name, text) in documents {
        bytes += text.len();
        put(folder, name, text)?;
    }
    for gone in before.difference(&files) {
        remove(folder, gone)?;
    }
    put(folder, MANIFEST, manifest(files.iter().collect()).as_bytes())?;

    if wanted.json.json {
        let report = json!({ "folder": folder.display().to_string(), "files": files, "bytes": bytes });
        return output::json_value(out, &report);
    }
    let pages = site.addresses().count();
    let name = output::plain(&folder.display().to_string());
    writeln!(
        out,
        "Wrote {pages} pages as HTML, Markdown and JSON to {name} ({} files, {} KiB).",
        files.len(),
        bytes / 1024
    )?;
    writeln!(out, "Start at {}.", output::plain(&folder.join("index.html").display().to_string()))?;
    Ok(())
}

/// The API's document, where the pages link to it.
fn document_files(document: &ServedDocument) -> [(&'static str, &[u8]); 2] {
    [("openapi.json", document.json.bytes()), ("openapi.yaml", document.yaml.bytes())]
}

/// The windows of maintenance, if they can be read. Without them there is still a reference.
fn maintenance(config: Config) -> Vec<Window> {
    let path = config.node.store.path.clone();
    let place = Place { store: Some(path.clone()), config: Some(config.node.sources.path.clone()) };
    if !path.join(store::DATABASE_FILE).exists() && !place.is_answered() {
        // Asking would make a store where none is wanted.
        return Vec::new();
    }
    match Reach::new(config).execute(ListMaintenance {}) {
        Ok(windows) => windows.iter().map(window).collect(),
        Err(_) => {
            eprintln!(
                "warning: the store in {} cannot be read, so the pages show no maintenance",
                output::plain(&path.display().to_string())
            );
            Vec::new()
        }
    }
}

/// The files of an earlier export in this folder. Refuses a folder that holds anything else.
fn earlier(folder: &Path, force: bool) -> Result<BTreeSet<String>, Failure> {
    let name = output::plain(&folder.display().to_string());
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => return Ok(BTreeSet::new()),
        Ok(false) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(Failure::new(format!("cannot read {name}: {error}"))),
    }
    match known(&folder.join(MANIFEST)) {
        Some(files) => Ok(files),
        None if force => Ok(BTreeSet::new()),
        None => Err(Failure::usage(format!(
            "the folder {name} is not empty and contains no earlier export\n  help: choose another folder, or write to this one with --force"
        ))),
    }
}

/// What an earlier manifest names. A path that leads out of the folder makes it none of ours.
fn known(manifest: &Path) -> Option<BTreeSet<String>> {
    let size = fs::symlink_metadata(manifest).ok().filter(fs::Metadata::is_file)?.len();
    if size > MAX_MANIFEST_SIZE {
        return None;
    }
    let value: Value = serde_json::from_slice(&fs::read(manifest).ok()?).ok()?;
    let names = value.get("files")?.as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
    let names: BTreeSet<String> = names.collect::<Option<_>>()?;
    let is_inside =
        |name: &String| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    names.iter().all(is_inside).then_some(names)
}

fn manifest(files: BTreeSet<&String>) -> String {
    let manifest = json!({ "about": "Generated by `fairgate docs export`. Do not edit.", "files": files });
    format!("{manifest:#}\n")
}

/// Writes a file under another name first, so that half of it is never read. No link below the folder is followed: a
/// stranger who may write there could have laid it to have us write elsewhere.
fn put(folder: &Path, name: &str, text: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    let mut fresh = path.clone().into_os_string();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let written = || -> io::Result<()> {
        make_folders(folder, Path::new(name))?;
        output::write_new(&fresh, text)?;
        fs::rename(&fresh, &path)
    };
    written().map_err(|error| cannot("write", &path, &error))
}

/// Makes the folder, and in it those that a file is in.
fn make_folders(folder: &Path, file: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut path = folder.to_owned();
    for part in file.parent().into_iter().flat_map(Path::components) {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                let why = format!("{} is not a folder; links are not followed", path.display());
                return Err(io::Error::new(io::ErrorKind::NotADirectory, why));
            }
            Err(_) => fs::create_dir(&path)?,
        }
    }
    Ok(())
}

fn remove(folder: &Path, name: &str) -> Result<(), Failure> {
    let path = folder.join(name);
    // A folder that has become a link leads to files that are not ours.
    let is_link = |part: &&Path| {
        let part = folder.join(part);
        part != path && fs::symlink_metadata(part).is_ok_and(|found| found.is_symlink())
    };
    if Path::new(name).ancestors().find(is_link).is_some_and(|part| !part.as_os_str().is_empty()) {
        return Ok(());
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(cannot("remove", &path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot {what} {}: {error}", output::plain(&path.display().to_string())))
}
