//! The tables `[store]` and `[usage]`.

use crate::{
    OnDiskFull, StoreSettings, UsageSettings,
    raw::{Refusal, Section},
    registry::{Absent::Default, CENTURY, DAY, HOUR, Key, Shape},
};
use std::path::Path;
use usage::Retention;

rows! {
    STORE_PATH = Store "path", Shape::Text, Default("\"data\""), "\"data\"", also "directory";
    "The folder of the embedded store, relative to the folder of this file. It is created if it does not exist."

    STORE_FLUSH_INTERVAL = Store "flush_interval", Shape::Duration { least: 10, most: 60_000 }, Default("\"1s\""), "\"1s\"";
    "How often charges are written to the disk: what a power cut may lose. At least 10 ms, at most 1 minute."

    STORE_SHARED_MEMORY = Store "shared_memory", Shape::Text, Default("\"/dev/shm\""), "\"/dev/shm\"", also "memory";
    "The folder of a file that every charge is written to at once, so that a crash of the process loses none. It should be \
     in memory (tmpfs). Relative to the folder of this file."

    STORE_ON_DISK_FULL = Store "on_disk_full", Shape::Words(&["continue", "reject"]), Default("\"continue\""), "\"reject\"",
    also "when_full";
    "What happens to requests while charges cannot be saved, for example because the disk is full. `continue`: they are \
     served, and an alarm is raised. `reject`: they are answered 503 `UNAVAILABLE`."

    STORE_DURABLE = Store "durable", Shape::Boolean, Default("true"), "false", also "persist";
    "`false`: charges are kept in memory only, and a restart loses them."

    USAGE_ENABLED = Usage "enabled", Shape::Boolean, Default("true"), "false";
    "Whether usage is recorded. What was recorded before stays available."

    USAGE_FLUSH_INTERVAL = Usage "flush_interval", Shape::Duration { least: 100, most: HOUR }, Default("\"10s\""), "\"1m\"";
    "How often usage is written to the store; a crash loses what was recorded since. With tens of thousands of busy keys, a \
     longer interval saves work. At least 100 ms, at most 1 hour."

    USAGE_MINUTE_RETENTION = Usage "minute_retention", Shape::Duration { least: HOUR, most: CENTURY }, Default("\"2d\""), "\"7d\"",
    also "minutes";
    "How long usage per minute is kept at least; it is deleted a day at a time."

    USAGE_HOUR_RETENTION = Usage "hour_retention", Shape::Duration { least: DAY, most: CENTURY }, Default("\"60d\""), "\"90d\"",
    also "hours";
    "How long usage per hour is kept at least; it is deleted ten days at a time."

    USAGE_DAY_RETENTION = Usage "day_retention", Shape::Duration { least: DAY, most: CENTURY }, Default("\"800d\""), "\"400d\"",
    also "days", "retention";
    "How long usage per day is kept at least; it is deleted a hundred days at a time."
}

pub(super) fn store(
    section: &Section<'_>,
    folder: &Path,
    usage: Option<UsageSettings>,
) -> Option<StoreSettings> {
    let folder_of = |key: &Key| {
        let named = section.text(key)?;
        section.keep(named, |path| {
            let is_good = !path.trim().is_empty() && !path.contains('\0');
            is_good.then(|| folder.join(path)).ok_or_else(|| {
                Refusal::new(
                    format!("`{}` is not a folder", key.name),
                    "expected the path of a folder",
                    format!("write it like this: {} = {}", key.name, key.example),
                )
            })
        })
    };
    let (path, shared_memory) = (folder_of(&STORE_PATH), folder_of(&STORE_SHARED_MEMORY));
    let flush_interval = section.duration(&STORE_FLUSH_INTERVAL);
    let meaning = [("continue", OnDiskFull::Continue), ("reject", OnDiskFull::Reject)];
    let on_disk_full = section.word(&STORE_ON_DISK_FULL, &meaning);
    let durable = section.boolean(&STORE_DURABLE);
    Some(StoreSettings {
        path: path?,
        flush_interval: flush_interval?.value,
        shared_memory: shared_memory?,
        on_disk_full: on_disk_full?.value,
        durable: durable?.value,
        usage: usage?,
    })
}

pub(super) fn usage(section: &Section<'_>) -> Option<UsageSettings> {
    let enabled = section.boolean(&USAGE_ENABLED);
    let flush_interval = section.duration(&USAGE_FLUSH_INTERVAL);
    let minutes = section.duration(&USAGE_MINUTE_RETENTION);
    let hours = section.duration(&USAGE_HOUR_RETENTION);
    let days = section.duration(&USAGE_DAY_RETENTION);
    let keep = Retention {
        minutes: minutes?.value.as_secs(),
        hours: hours?.value.as_secs(),
        days: days?.value.as_secs(),
    };
    Some(UsageSettings { enabled: enabled?.value, flush_interval: flush_interval?.value, keep })
}
