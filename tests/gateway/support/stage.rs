//! The setup that provokes one error code: the gateway, its upstream, a valid key, the provoking request.

use super::{
    answer::Answer,
    config::Config,
    gateway::{Gateway, Key},
    request::{Request, get},
    specification::assert_error,
    upstream::Upstream,
};

/// The result of a provocation.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) answer: Answer,
    /// Units rightly charged for successes on the way to the error.
    pub(crate) charged: u64,
}

type Deed = Box<dyn Fn(&Stage) -> Shown>;

pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    pub(crate) upstream: Upstream,
    /// A valid key: the one that gets the error, or an uninvolved one where no key can.
    pub(crate) key: Key,
    /// The status and the code that are provoked.
    pub(crate) expected: (u16, &'static str),
    deed: Deed,
    restore: Box<dyn Fn(&Stage)>,
    success: Request,
}

impl From<Answer> for Shown {
    fn from(answer: Answer) -> Self {
        Self { answer, charged: 0 }
    }
}

impl Stage {
    /// A stage before this upstream. `deed` provokes the error.
    pub(crate) fn new<S: Into<Shown>>(
        config: &Config,
        upstream: Upstream,
        expected: (u16, &'static str),
        deed: impl Fn(&Stage) -> S + 'static,
    ) -> Self {
        let gateway = Gateway::start(config);
        let key = gateway.key();
        Self {
            gateway,
            upstream,
            key,
            expected,
            deed: Box::new(move |stage| deed(stage).into()),
            restore: Box::new(|_| {}),
            success: get("/items/7"),
        }
    }

    /// Makes successes possible again after the provocation.
    pub(crate) fn restore_by(mut self, restore: impl Fn(&Stage) + 'static) -> Self {
        self.restore = Box::new(restore);
        self
    }

    /// The request that succeeds and costs one unit, without its key.
    pub(crate) fn success(mut self, request: Request) -> Self {
        self.success = request;
        self
    }

    /// Provokes the error and asserts that it is the one, with the whole specification.
    #[track_caller]
    pub(crate) fn provoke(&self) -> Shown {
        let shown = (self.deed)(self);
        assert_error(&self.gateway, &shown.answer, self.expected.0, self.expected.1);
        shown
    }

    pub(crate) fn restore(&self) {
        (self.restore)(self);
    }

    #[track_caller]
    pub(crate) fn succeed(&self) -> Answer {
        let answer = self.gateway.send(&self.success.clone().key(&self.key));
        assert_eq!(answer.status, 200, "{answer:?}\n{}", answer.text());
        answer
    }

    /// Sends a request with the stage's key.
    #[track_caller]
    pub(crate) fn send(&self, request: Request) -> Answer {
        self.gateway.send(&request.key(&self.key))
    }
}
