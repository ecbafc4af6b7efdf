//! The black-box harness: a real gateway process, raw sockets on both of its sides, and the checks
//! that every response must pass. It knows the contract and the command line, never the internals.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of the harness")]

pub(crate) mod answer;
pub(crate) mod authority;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod exchange;
pub(crate) mod gate;
pub(crate) mod gateway;
pub(crate) mod http2;
pub(crate) mod limits;
pub(crate) mod request;
pub(crate) mod sample;
pub(crate) mod sockets;
pub(crate) mod specification;
pub(crate) mod stage;
pub(crate) mod upstream;
pub(crate) mod wire;

pub(crate) use answer::{Answer, Framing, Headers};
pub(crate) use authority::{AUTHORITY, Authority, Issued};
pub(crate) use client::Connection;
pub(crate) use config::Config;
pub(crate) use exchange::{Exchange, Next};
pub(crate) use gate::{Gate, eventually};
pub(crate) use gateway::{Gateway, Key, program};
pub(crate) use request::{Request, delete, get, head, patch, post, put, request};
pub(crate) use specification::{assert_details, assert_error, error_of};
pub(crate) use stage::{Shown, Stage};
pub(crate) use upstream::Upstream;
