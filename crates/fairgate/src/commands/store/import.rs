//! `fairgate store import`: what was exported, into the store or the cluster that the configuration names.

use super::{Out, moved};
use crate::{cli, failure::Failure, output};
use config::Config;
use control::{
    Actor, Place, ShowStatus, ask,
    serve::moving::{Import, LimitsOf},
};
use serde_json::json;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    process::ExitCode,
};

pub(in crate::commands) fn import(
    wanted: &cli::StoreImport,
    config: &Config,
    out: &mut Out<'_>,
) -> Result<ExitCode, Failure> {
    let node = &config.node;
    let place = Place { store: Some(node.store.path.clone()), config: Some(node.sources.path.clone()) };
    if let Some((status, _)) = ask(&place, &ShowStatus {})? {
        return Err(Failure::new(format!(
            "nothing was imported: the gateway of this store runs (process {}), and would not know what was used. Stop it, import, \
             and start it again",
            status.process
        )));
    }
    let (file, name) = if wanted.file == Path::new("-") {
        (spooled(&node.store.path)?, "standard input".to_owned())
    } else {
        let name = output::plain(&wanted.file.display().to_string()).to_string();
        let file =
            File::open(&wanted.file).map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
        (file, name)
    };
    let import = Import { file, name, secret: wanted.secret.clone(), may_merge: wanted.merge };
    let imported =
        import.carry_out(node, LimitsOf::new(&config.data_plane), &Actor::this_user().to_string())?;
    if wanted.json.json {
        output::json_value(out, &json!({ "imported": imported.counts, "notes": imported.notes }))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "Imported {}.", moved(&imported.counts))?;
    for note in imported.notes {
        writeln!(out, "{note}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Standard input, in a file without a name: it is read more than once.
fn spooled(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("import.new");
    let spool = || {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let _ = fs::remove_file(&path);
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        io::copy(&mut io::stdin().lock(), &mut file)?;
        Ok(file)
    };
    spool().map_err(|error: io::Error| {
        Failure::new(format!(
            "nothing was imported: cannot keep standard input in {}: {error}",
            folder.display()
        ))
    })
}
