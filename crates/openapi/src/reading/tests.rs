//! APIs, from documents of every version.
