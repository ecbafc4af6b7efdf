//! Showing incidents. What waits in memory is written first, so that it is among them.

use super::{Control, Operation};
use crate::{
    actor::Actor,
    error::OperationError,
    live::Unsaved,
    operations::{GroupIncidents, ListIncidents, ShowIncident},
};
use store::{IncidentGroup, IncidentRecord};

impl Operation for ListIncidents {
    const NAME: &'static str = "list_incidents";
    const NEEDS_STORE: bool = false;
    type Response = Vec<IncidentRecord>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<IncidentRecord>, OperationError> {
        control.save(Unsaved::Incidents).await?;
        Ok(control.records().incidents(self.limit, self.cause).await?)
    }
}

impl Operation for GroupIncidents {
    const NAME: &'static str = "group_incidents";
    const NEEDS_STORE: bool = false;
    type Response = Vec<IncidentGroup>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<IncidentGroup>, OperationError> {
        control.save(Unsaved::Incidents).await?;
        Ok(control.records().incident_groups().await?)
    }
}

impl Operation for ShowIncident {
    const NAME: &'static str = "show_incident";
    const NEEDS_STORE: bool = false;
    type Response = Vec<IncidentRecord>;

    async fn carry_out(self, control: &Control, _: Actor) -> Result<Vec<IncidentRecord>, OperationError> {
        control.save(Unsaved::Incidents).await?;
        let found = control.records().incidents_of(&self.request_id).await?;
        if found.is_empty() {
            return Err(OperationError::UnknownIncident { request_id: self.request_id });
        }
        Ok(found)
    }
}
