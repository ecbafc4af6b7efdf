//! The table of windows of maintenance.

use crate::fault::{Failed, get};
use postgres::Session;
use store::MaintenanceWindow;

pub(crate) async fn put(session: &Session, window: &MaintenanceWindow) -> Result<(), Failed> {
    let record = serde_json::to_string(window).map_err(|_| Failed::damaged("maintenance"))?;
    let text = "INSERT INTO fairgate.maintenance (id, record) VALUES ($1, $2) \
                ON CONFLICT (id) DO UPDATE SET record = excluded.record";
    session.execute(text, &[&window.id, &record]).await?;
    Ok(())
}

pub(crate) async fn remove(session: &Session, id: &str) -> Result<bool, Failed> {
    Ok(session.execute("DELETE FROM fairgate.maintenance WHERE id = $1", &[&id]).await? > 0)
}

pub(crate) async fn all(session: &Session) -> Result<Vec<MaintenanceWindow>, Failed> {
    let mut windows = Vec::new();
    for row in session.query("SELECT record FROM fairgate.maintenance", &[]).await? {
        windows.push(decode(get(&row, 0, "maintenance")?)?);
    }
    windows.sort_by(|one, other| (one.from, &one.id).cmp(&(other.from, &other.id)));
    Ok(windows)
}

pub(crate) fn decode(text: &str) -> Result<MaintenanceWindow, Failed> {
    serde_json::from_str(text).map_err(|_| Failed::damaged("maintenance"))
}
