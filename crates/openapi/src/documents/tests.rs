//! Documents, from text to places.
