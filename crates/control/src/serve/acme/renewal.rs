//! The renewal window that an authority suggests (RFC 9773, ARI): so it can have a certificate replaced that it is about to
//! revoke, and spread renewals over time.

use super::{folder::Folder, held::Held, order};
use config::tls::AcmeSettings;
use instant_acme::Error;
use std::time::Duration;

/// Bounds of what an authority may say about when to ask again (RFC 9773, 4.3.2).
const MIN_ASK: Duration = Duration::from_secs(60);
const MAX_ASK: Duration = Duration::from_secs(24 * 3600);
/// The longest wait after a failure (RFC 9773, 4.3.3).
const MAX_ASK_AFTER_FAILURE: Duration = Duration::from_secs(6 * 3600);

/// What an authority suggests.
pub(super) struct Window {
    pub(super) start: i64,
    pub(super) end: i64,
    /// A page that says why.
    pub(super) explanation: Option<String>,
}

/// Asks the authority. None: nothing new, or it has no such windows.
pub(super) async fn ask(
    settings: &AcmeSettings,
    folder: &Folder,
    held: &mut Held,
) -> Result<Option<Window>, String> {
    let asked = window(settings, folder, held).await;
    match asked {
        Ok(Some((window, after))) => {
            held.unanswered = 0;
            held.ask_again(Some(after.clamp(MIN_ASK, MAX_ASK)));
            Ok(held.suggest(window.start, window.end).then_some(window))
        }
        // An authority may have them one day.
        Ok(None) => {
            held.ask_again(Some(MAX_ASK));
            Ok(None)
        }
        Err(error) => {
            let wait = MIN_ASK.saturating_mul(1 << held.unanswered.min(16)).min(MAX_ASK_AFTER_FAILURE);
            held.unanswered = held.unanswered.saturating_add(1);
            held.ask_again(Some(wait));
            Err(error)
        }
    }
}

async fn window(
    settings: &AcmeSettings,
    folder: &Folder,
    held: &Held,
) -> Result<Option<(Window, Duration)>, String> {
    let (Some(account), Some(id)) = (order::kept_account(settings, folder).await?, held.renewal_id()) else {
        return Ok(None);
    };
    match account.renewal_info(&id).await {
        Ok((info, after)) => {
            let (start, end) = (info.suggested_window.start, info.suggested_window.end);
            let window = Window {
                start: start.unix_timestamp(),
                end: end.unix_timestamp(),
                explanation: info.explanation_url,
            };
            if window.end < window.start {
                return Err("the authority's renewal window ends before it begins".to_owned());
            }
            Ok(Some((window, after)))
        }
        Err(Error::Unsupported(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}
