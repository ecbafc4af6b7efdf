//! Reserve and settle.
