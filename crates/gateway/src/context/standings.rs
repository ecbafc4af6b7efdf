//! How the limits of a request stand: by its account, or where several nodes share them, by what all of them know.

use super::RequestContext;
use crate::cluster::CountedAt;
use ::limits::{Account, Applying, Known, MAX_LIMITS, Standing};

/// How each limit stands that applies, with its position, in the order of the plan.
pub(crate) struct Standings<'a>([Option<(usize, Standing<'a>)>; MAX_LIMITS]);

/// How the limits of an account stand that apply.
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
    // Of whom nothing was asked yet, nothing is known to be left.
    let nothing = [Known { remaining: 0, now: context.now.millis }; MAX_LIMITS];
    let known =
        |at: CountedAt| context.shared.cluster.get().map(|all| all.known(account.limits(), applying, at));
    let known = context.counted_at.and_then(known).unwrap_or(nothing);
    Standings::gather(
        account.shared_standings(applying, |position| known.get(position).copied().unwrap_or_default()),
    )
}

impl<'a> Standings<'a> {
    /// Asked once: to a request with three limits it would be half as much work again to ask for each line.
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
