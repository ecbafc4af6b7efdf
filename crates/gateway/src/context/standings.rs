//! The state of the limits of a request: by its account or, if several nodes share limits, by what
//! is known of all nodes.

use super::RequestContext;
use crate::cluster::CountedAt;
use ::limits::{Account, Applying, Known, MAX_LIMITS, Standing};

/// The state of each limit that applies, with its position, in the order of the plan.
pub(crate) struct Standings<'a>([Option<(usize, Standing<'a>)>; MAX_LIMITS]);

/// The state of the limits of an account that apply.
#[inline]
pub(crate) fn of<'a>(
    context: &RequestContext<'_>,
    account: &'a Account,
    applying: Applying,
    now: u64,
) -> Standings<'a> {
    if context.shared.cluster.get().is_none() {
        return Standings::gather(account.standings(now, applying));
    }
    of_cluster(context, account, applying)
}

#[cold]
#[inline(never)]
fn of_cluster<'a>(context: &RequestContext<'_>, account: &'a Account, applying: Applying) -> Standings<'a> {
    // If nothing was requested for this account yet, assume that nothing remains.
    let nothing = [Known { remaining: 0, now: context.now.millis }; MAX_LIMITS];
    let known =
        |at: CountedAt| context.shared.cluster.get().map(|all| all.known(account.limits(), applying, at));
    let known = context.counted_at.and_then(known).unwrap_or(nothing);
    Standings::gather(
        account.shared_standings(applying, |position| known.get(position).copied().unwrap_or_default()),
    )
}

impl<'a> Standings<'a> {
    /// Computed once: computing it for each header line would add half of the cost for a request
    /// with three limits.
    #[inline]
    pub(crate) fn gather(standings: impl Iterator<Item = (usize, Standing<'a>)>) -> Self {
        let mut all = [const { None }; MAX_LIMITS];
        for (place, standing) in all.iter_mut().zip(standings) {
            *place = Some(standing);
        }
        Self(all)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(usize, Standing<'a>)> {
        self.0.iter().map_while(Option::as_ref)
    }
}
