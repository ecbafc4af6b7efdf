//! From a line of the socket to the operation that it names, and to the line that answers it.

use super::{
    actor::Actor,
    control::{Control, Operation},
    error::{OperationError, Refused},
    operations::{
        AddToImport, BeginExport, BeginImport, BeginMaintenance, ChangeKey, CommitImport, CreateKey,
        EndMaintenance, ExportCounters, ExportKeys, ExportUsage, GroupIncidents, ListIncidents, ListKeys,
        ListMaintenance, ListUpstreams, Reload, RevokeKeys, ShowIncident, ShowStatus, ShowUsage,
    },
};
use serde::{Deserialize, Serialize};

/// Every operation, under its name.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Any {
    AddToImport(AddToImport),
    BeginExport(BeginExport),
    BeginImport(BeginImport),
    BeginMaintenance(BeginMaintenance),
    ChangeKey(ChangeKey),
    CommitImport(CommitImport),
    CreateKey(CreateKey),
    EndMaintenance(EndMaintenance),
    ExportCounters(ExportCounters),
    ExportKeys(ExportKeys),
    ExportUsage(ExportUsage),
    GroupIncidents(GroupIncidents),
    ListIncidents(ListIncidents),
    ListKeys(ListKeys),
    ListMaintenance(ListMaintenance),
    ListUpstreams(ListUpstreams),
    Reload(Reload),
    RevokeKeys(RevokeKeys),
    ShowIncident(ShowIncident),
    ShowStatus(ShowStatus),
    ShowUsage(ShowUsage),
}

/// Carries out what a line asks for. None: the answer cannot be written.
pub(super) async fn dispatch(control: &Control, actor: Actor, line: &[u8]) -> Option<Vec<u8>> {
    let any = match serde_json::from_slice(line) {
        Ok(any) => any,
        Err(error) => return refusal(OperationError::NotUnderstood { why: error.to_string() }),
    };
    match any {
        Any::AddToImport(one) => execute(control, actor, one).await,
        Any::BeginExport(one) => execute(control, actor, one).await,
        Any::BeginImport(one) => execute(control, actor, one).await,
        Any::BeginMaintenance(one) => execute(control, actor, one).await,
        Any::ChangeKey(one) => execute(control, actor, one).await,
        Any::CommitImport(one) => execute(control, actor, one).await,
        Any::CreateKey(one) => execute(control, actor, one).await,
        Any::EndMaintenance(one) => execute(control, actor, one).await,
        Any::ExportCounters(one) => execute(control, actor, one).await,
        Any::ExportKeys(one) => execute(control, actor, one).await,
        Any::ExportUsage(one) => execute(control, actor, one).await,
        Any::GroupIncidents(one) => execute(control, actor, one).await,
        Any::ListIncidents(one) => execute(control, actor, one).await,
        Any::ListKeys(one) => execute(control, actor, one).await,
        Any::ListMaintenance(one) => execute(control, actor, one).await,
        Any::ListUpstreams(one) => execute(control, actor, one).await,
        Any::Reload(one) => execute(control, actor, one).await,
        Any::RevokeKeys(one) => execute(control, actor, one).await,
        Any::ShowIncident(one) => execute(control, actor, one).await,
        Any::ShowStatus(one) => execute(control, actor, one).await,
        Any::ShowUsage(one) => execute(control, actor, one).await,
    }
}

async fn execute<O: Operation>(control: &Control, actor: Actor, operation: O) -> Option<Vec<u8>> {
    answer(&control.execute(actor, operation).await.map_err(Refused::from))
}

/// The line that says why nothing was done.
pub(super) fn refusal(error: OperationError) -> Option<Vec<u8>> {
    answer(&Err::<(), _>(Refused::from(error)))
}

/// A line with an answer.
pub(super) fn answer<T: Serialize>(answer: &Result<T, Refused>) -> Option<Vec<u8>> {
    let mut line = serde_json::to_vec(answer).ok()?;
    line.push(b'\n');
    Some(line)
}
