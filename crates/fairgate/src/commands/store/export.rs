//! `fairgate store export`: all that is stored, in one file.

use super::{Out, moved};
use crate::{cli, commands::reach::Reach, failure::Failure, output};
use config::{ClusterSettings, Config};
use control::{
    BeginExport, ExportBegun, ExportCounters, ExportKeys, ExportUsage, GroupIncidents, ListIncidents,
    ListMaintenance,
    export::{Cause, Counter, Counts, FORMAT, Header, Key, Line, Source, Writer},
    serve::moving::{self, LimitsOf},
    system_clock,
};
use serde_json::json;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Lines of a page.
const PAGE: usize = 5_000;

pub(in crate::commands) fn export(
    wanted: &cli::StoreExport,
    config: &Config,
    out: &mut Out<'_>,
) -> Result<ExitCode, Failure> {
    let to_output = wanted.file == Path::new("-");
    if config.node.cluster.is_none() {
        super::check_there(config)?;
    }
    let counts = if to_output {
        let (_, counts) = write(&mut *out, config, "standard output")?;
        out.flush()?;
        counts
    } else {
        let file = NewFile::create(&wanted.file)?;
        let name = output::plain(&wanted.file.display().to_string()).to_string();
        let (mut buffer, counts) = write(BufWriter::with_capacity(1 << 18, &file.file), config, &name)?;
        buffer.flush().map_err(|error| cannot_write(&name, &error))?;
        drop(buffer);
        file.finish().map_err(|error| cannot_write(&name, &error))?;
        counts
    };
    // Standard output has the export itself.
    if wanted.json.json {
        let value = json!({ "exported": counts, "format": FORMAT });
        if to_output { eprintln!("{value}") } else { output::json_value(out, &value)? }
    } else if to_output {
        eprintln!("Exported {}.", moved(&counts));
    } else {
        writeln!(out, "Exported {}.", moved(&counts))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write<W: Write>(out: W, config: &Config, name: &str) -> Result<(W, Counts), Failure> {
    let mut reach = Reach::new(config.clone());
    let cluster = config.node.cluster.as_ref();
    let begun = reach.execute(BeginExport { counters: cluster.is_none() })?;
    let writer = Writer::begin(out, &header(config, &begun)).map_err(|error| cannot_write(name, &error))?;
    let mut export = Export { writer, reach, name };
    export.counters(config, cluster, begun)?;
    export.keys()?;
    export.rest()?;
    export.usage()?;
    export.writer.finish().map_err(|error| cannot_write(name, &error))
}

fn header(config: &Config, begun: &ExportBegun) -> Header {
    let node = &config.node;
    let (from, secret) = match &node.cluster {
        None => (Source::Store, node.store.path.join(store::SECRET_FILE)),
        Some(settings) => (Source::Cluster, settings.secret_file.clone()),
    };
    Header {
        fairgate_export: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        from,
        exported_at: system_clock(),
        secret_file: std::path::absolute(&secret).unwrap_or(secret),
        secret_fingerprint: begun.secret_fingerprint,
    }
}

/// An export under way.
struct Export<'a, W> {
    writer: Writer<W>,
    reach: Reach,
    name: &'a str,
}

impl<W: Write> Export<'_, W> {
    fn counters(
        &mut self,
        config: &Config,
        cluster: Option<&ClusterSettings>,
        begun: ExportBegun,
    ) -> Result<(), Failure> {
        if let Some(settings) = cluster {
            return self.counters_of_ledger(config, settings);
        }
        if !config.node.store.durable {
            warn("counters are not exported: with `[store] durable = false` they are kept in memory only");
            return Ok(());
        }
        if !self.reach.is_live() {
            return self.counters_of_stopped(config);
        }
        loop {
            let page = self.reach.execute(ExportCounters { export: begun.export.clone(), limit: PAGE })?;
            if page.is_empty() {
                return Ok(());
            }
            page.into_iter().try_for_each(|one| self.line(&Line::Counter(one)))?;
        }
    }

    /// What this node used is the smaller part of it.
    fn counters_of_ledger(&mut self, config: &Config, settings: &ClusterSettings) -> Result<(), Failure> {
        let (mut used, mut limits) = (moving::of_ledger(settings)?, LimitsOf::new(&config.data_plane));
        if used.needs_keys() {
            self.each_key(|_, key| {
                used.key(&key, &mut limits);
                Ok(())
            })?;
        }
        used.finish(&limits).into_iter().try_for_each(|one| self.line(&Line::Counter(one)))
    }

    fn counters_of_stopped(&mut self, config: &Config) -> Result<(), Failure> {
        let mut written = Ok(());
        let mut each = |counter: Counter| {
            if written.is_ok() {
                written = self.writer.line(&Line::Counter(counter));
            }
        };
        let found = moving::of_stopped(&config.node.store, &mut each)?;
        found.iter().for_each(|finding| warn(finding));
        written.map_err(|error| cannot_write(self.name, &error))
    }

    fn keys(&mut self) -> Result<(), Failure> {
        self.each_key(|export, key| export.line(&Line::Key(key)))
    }

    fn each_key(
        &mut self,
        mut each: impl FnMut(&mut Self, Key) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let page = self.reach.execute(ExportKeys { after, limit: PAGE })?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.digest());
            page.into_iter().try_for_each(|key| each(self, key))?;
        }
    }

    fn rest(&mut self) -> Result<(), Failure> {
        for window in self.reach.execute(ListMaintenance {})? {
            self.line(&Line::Maintenance(window))?;
        }
        for group in self.reach.execute(GroupIncidents {})? {
            self.line(&Line::Cause(Cause::from(&group)))?;
        }
        let mut incidents = self.reach.execute(ListIncidents { limit: usize::MAX, cause: None })?;
        incidents.reverse();
        incidents.into_iter().try_for_each(|incident| self.line(&Line::Incident(incident)))
    }

    fn usage(&mut self) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let page = self.reach.execute(ExportUsage { after, limit: PAGE })?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.place.clone());
            page.into_iter().try_for_each(|usage| self.line(&Line::Usage(usage)))?;
        }
    }

    fn line(&mut self, line: &Line) -> Result<(), Failure> {
        self.writer.line(line).map_err(|error| cannot_write(self.name, &error))
    }
}

fn warn(text: &str) {
    eprintln!("warning: {text}");
}

fn cannot_write(name: &str, error: &io::Error) -> Failure {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(format!("nobody reads {name} any more: the export is not whole"));
    }
    if full.contains(&error.kind()) {
        return Failure::new(format!(
            "there is no room for {name}, and nothing was exported: make room, or export to another disk"
        ));
    }
    Failure::new(format!("cannot write {name}: {error}"))
}

/// A file that has its name only once it is whole.
struct NewFile {
    file: File,
    fresh: PathBuf,
    path: PathBuf,
}

impl NewFile {
    fn create(path: &Path) -> Result<Self, Failure> {
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        // What a kill has left; only we make such a name.
        let _ = fs::remove_file(&fresh);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
        let file = file.map_err(|error| cannot_write(&output::plain(&path.display().to_string()), &error))?;
        Ok(Self { file, fresh, path: path.to_owned() })
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.fresh, &self.path)?;
        self.fresh = PathBuf::new();
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.fresh.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.fresh);
        }
    }
}
