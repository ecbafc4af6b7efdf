//! Bytes as a path: its normal form stays as it is, and nobody finds a dot segment in it.
#![no_main]

use fuzz::guarded;
use http1::{path, reading::Slashes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| guarded(input, || {
    if let Ok(text) = std::str::from_utf8(input) {
        check(&format!("/{text}"));
    }
}));

/// Judges a path. Its normal form has to stay as it is, and no decoding of it may have a dot segment.
fn check(text: &str) {
    for slashes in [Slashes::Keep, Slashes::Merge, Slashes::Refuse] {
        let Ok(normal) = path::normal(text, slashes) else { continue };
        let once = normal.text.unwrap_or_else(|| text.to_owned());
        let Ok(again) = path::normal(&once, slashes) else { panic!("a normal path is refused: {once}") };
        assert!(again.text.is_none(), "a normal path is not in its normal form: {once}");
        let views = path::other_views(&once);
        assert!(
            views.is_empty() || again.has_other_views,
            "other views that nobody looks for: {once}, {views:?}"
        );
        for view in views.iter().chain([&once]) {
            let has_dots = view.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."));
            assert!(
                !has_dots && !view.bytes().any(|b| b.is_ascii_control()),
                "{once} is {view} to some server"
            );
        }
    }
}
