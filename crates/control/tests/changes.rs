//! Every change reaches the gateway once, in the order in which it was made, whoever made it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

use control::{
    Actor, AddressView, Applier, Control, CreateKey, EndMaintenance, Live, Load, NewKey, OperationError,
    Preparing, Process, Reload, Reloaded, RevokeKeys, Rules, Running, Saving, Sockets, Status, Stores,
    TakenOver, Unsaved,
};
use gateway::{
    maintenance::Pattern,
    settings::{NamedEndpoint, Plan},
};
use std::{cell::RefCell, future::ready, net::SocketAddr, rc::Rc};
use store::{Change, Changed, Embedded, MaintenanceWindow, Records, wait};
use tempfile::TempDir;

/// A gateway that writes down what reaches it.
struct Recorder(Rc<RefCell<Vec<String>>>);

struct Idle;

impl Live for Recorder {
    fn apply(&self, change: &Change) {
        let what = match &change.what {
            Changed::KeyAdded(key) => format!("added {}", key.name.as_deref().unwrap_or_default()),
            Changed::KeyRevoked(key) => format!("revoked {}", key.name.as_deref().unwrap_or_default()),
            Changed::MaintenancePut(window) => format!("put {}", window.id),
            Changed::MaintenanceRemoved(id) => format!("removed {id}"),
            other @ (Changed::KeyChanged(_) | Changed::KeysImported(_)) => format!("{other:?}"),
        };
        self.0.borrow_mut().push(format!("{} {what} by {}", change.number, change.by));
    }

    fn load(&self, keys: u64) -> Load<'_> {
        let rest = move |windows: Vec<MaintenanceWindow>| {
            self.0.borrow_mut().push(format!("everything: {keys} keys, {} windows", windows.len()));
        };
        Load { keys: vec![Box::new(|_| ())], rest: Box::new(rest) }
    }

    fn status(&self) -> Status {
        unreachable!("nobody asks")
    }

    fn upstreams(&self) -> Vec<AddressView> {
        vec![]
    }

    fn has_endpoints(&self, _: &Pattern) -> bool {
        true
    }

    fn operations(&self) -> Vec<NamedEndpoint> {
        vec![]
    }
}

impl Process for Idle {
    fn save(&self, _: Unsaved) -> Saving<'_> {
        Box::pin(ready(Ok(())))
    }

    fn prepare(&self) -> Preparing {
        Box::new(|| Err(OperationError::NotReloaded("it cannot".into())))
    }

    fn take_over(&self) -> Result<TakenOver, OperationError> {
        unreachable!("nothing was prepared")
    }

    fn reloaded(&self, _: Actor, _: Result<&Reloaded, &OperationError>) {}

    fn hand_over(&self, _: &[SocketAddr]) -> Result<Sockets, OperationError> {
        Err(OperationError::NotHandedOver("it cannot".into()))
    }
}

struct Site {
    control: Control,
    records: Rc<dyn Records>,
    applied: Rc<RefCell<Vec<String>>>,
    _folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, secret) = Embedded::open(folder.path()).unwrap();
        let stores = Stores::from(store);
        let (records, applied) = (Rc::clone(&stores.records), Rc::default());
        let applier = Applier::new(Rc::clone(&records), Box::new(Recorder(Rc::clone(&applied))));
        wait(applier.catch_up()).unwrap();
        let rules = Rules {
            plans: vec![Plan { name: "free".into(), limits: vec![] }],
            read_limit: |_| Err("there are none".into()),
            pattern: None,
            costs: vec![],
        };
        let running = Running { applier, process: Box::new(Idle) };
        let control = Control::new(stores, secret, rules, Some(running), || 1_000);
        Self { control, records, applied, _folder: folder }
    }

    fn create(&self, name: &str) -> String {
        let wanted = NewKey {
            name: Some(name.into()),
            plan: "free".into(),
            permissions: vec![],
            limits: vec![],
            expires_at: None,
        };
        let created = wait(self.control.execute(Actor::FileWatcher, CreateKey(wanted))).unwrap();
        created.view.id
    }

    fn applied(&self) -> Vec<String> {
        std::mem::take(&mut *self.applied.borrow_mut())
    }
}

fn window(id: &str) -> MaintenanceWindow {
    let (message, endpoints) = (String::new(), vec![]);
    MaintenanceWindow { id: id.into(), message, from: 1, until: None, pass: vec![], endpoints, created_at: 1 }
}

#[test]
fn a_change_is_applied_when_its_operation_is_answered() {
    let site = Site::new();
    let id = site.create("one");
    let revoke = RevokeKeys { ids: vec![id], keys: vec![] };
    wait(site.control.execute(Actor::Hangup, revoke)).unwrap();
    let expected =
        ["everything: 0 keys, 0 windows", "1 added one by file watcher", "2 revoked one by SIGHUP"];
    assert_eq!(site.applied(), expected);
}

#[test]
fn what_others_wrote_meanwhile_is_applied_before_in_its_order() {
    let site = Site::new();
    site.create("one");
    wait(site.records.put_maintenance(window("mnt_a"), "another node")).unwrap();
    wait(site.records.put_maintenance(window("mnt_b"), "another node")).unwrap();
    site.applied();
    site.create("two");
    let expected =
        ["2 put mnt_a by another node", "3 put mnt_b by another node", "4 added two by file watcher"];
    assert_eq!(site.applied(), expected);
    wait(site.control.execute(Actor::Hangup, EndMaintenance { id: None })).unwrap();
    assert_eq!(site.applied(), ["5 removed mnt_a by SIGHUP", "6 removed mnt_b by SIGHUP"]);
}

#[test]
fn who_missed_too_much_reads_everything() {
    let site = Site::new();
    site.create("one");
    for _ in 0..1_001 {
        wait(site.records.put_maintenance(window("mnt_a"), "another node")).unwrap();
    }
    site.applied();
    site.create("two");
    assert_eq!(site.applied(), ["everything: 2 keys, 1 windows"]);
    site.create("three");
    assert_eq!(site.applied(), ["1004 added three by file watcher"]);
}

#[test]
fn a_refusal_has_a_code_for_programs_and_changes_nothing() {
    let site = Site::new();
    site.applied();
    let end = EndMaintenance { id: Some("mnt_none".into()) };
    let error = wait(site.control.execute(Actor::Hangup, end)).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("mnt_none")), ("unknown_maintenance", true));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(site.control.execute(Actor::Hangup, Reload {})).unwrap_err();
    assert_eq!((error.code(), error.to_string()), ("not_reloaded", "it cannot".to_owned()));
    assert_eq!(site.applied(), Vec::<String>::new());
}
