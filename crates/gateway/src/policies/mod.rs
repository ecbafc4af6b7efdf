//! The policies: each refuses a request for one reason. [`crate::admit`] defines their order.

pub(crate) mod body;
pub(crate) mod cors;
mod elsewhere;
pub(crate) mod guard;
pub(crate) mod key;
pub(crate) mod leases;
pub(crate) mod limits;
pub(crate) mod maintenance;
pub(crate) mod overload;
pub(crate) mod own_key;
pub(crate) mod parameters;
pub(crate) mod path;
pub(crate) mod permission;
pub(crate) mod redirect;
pub(crate) mod route;
pub(crate) mod upgrade;
