//! Keys, counters, incidents and maintenance.
