//! A network of a test's own: machines in network namespaces around one bridge, which can be cut off from each other.
//!
//! The test runs as another process of itself, in namespaces of its own for the network, mounts and processes. So all tests
//! use the same addresses beside each other, and whatever a test starts ends with it.

use std::{
    any::type_name,
    cell::RefCell,
    io::Write,
    os::unix::fs::MetadataExt,
    process::{Command, Stdio},
};

/// Where the test itself is: its clients, its upstream and its relays.
pub(crate) const TEST: &str = "10.77.0.254";
const WITHIN: &str = "FAIRGATE_TEST_NETWORK";
/// Seconds that a test may take.
const LONGEST: &str = "240";
/// Where nobody is.
const NOBODY: &str = "02:00:00:00:00:01";

/// The network of this process.
pub(crate) struct Network {
    machines: RefCell<Vec<&'static str>>,
}

/// A machine of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// The name of its network namespace.
    pub(crate) name: &'static str,
    number: u8,
}

/// Runs a test in a network of its own.
#[track_caller]
pub(crate) fn in_own_network<T: FnOnce(&Network)>(test: T) {
    if std::env::var_os(WITHIN).is_some() {
        return test(&Network::new());
    }
    let own = std::fs::metadata("/proc/self").unwrap().uid();
    assert_eq!(own, 0, "network namespaces need root: run this suite as root, for example by `sudo ./test`");
    // Of `bad_days::module::test::{{closure}}`, which this is called with, the test's name.
    let name = type_name::<T>().trim_end_matches("::{{closure}}").split_once("::").unwrap().1;
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", LONGEST, "unshare"]);
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    // The first process of a namespace has to wait for all that lost their parents, which a shell does.
    command.args(["sh", "-c", "\"$@\"; exit $?", "sh"]);
    command.arg(std::env::current_exe().unwrap()).args([name, "--exact", "--include-ignored", "--nocapture"]);
    let output = command.env(WITHIN, "1").stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("unshare: {error}; install the package `util-linux`"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
    println!("{out}");
}

impl Network {
    fn new() -> Self {
        std::fs::create_dir_all("/run/netns").unwrap();
        run("mount", &["-t", "tmpfs", "none", "/run/netns"]);
        ip(&format!(
            "link set lo up\nlink add bridge type bridge\naddr add {TEST}/24 dev bridge\nlink set bridge up"
        ));
        Self { machines: RefCell::default() }
    }

    /// A machine with this number as the end of its address.
    pub(crate) fn machine(&self, name: &'static str, number: u8) -> Machine {
        let machine = Machine { name, number };
        let is_known = self.machines.borrow().contains(&name);
        if !is_known {
            self.machines.borrow_mut().push(name);
            ip(&format!(
                "netns add {name}\nlink add to-{name} type veth peer name eth0 netns {name}\n\
                 link set to-{name} master bridge up"
            ));
            ip_in(
                name,
                &format!("link set lo up\naddr add {}/24 dev eth0\nlink set eth0 up", machine.address()),
            );
        }
        machine
    }
}

impl Machine {
    pub(crate) fn address(self) -> String {
        format!("10.77.0.{}", self.number)
    }

    /// Nothing gets from one to the other any more, and neither is told.
    pub(crate) fn cut_off(self, other: Self) {
        for (one, other) in [(self, other), (other, self)] {
            let to = other.address();
            ip_in(one.name, &format!("neigh replace {to} lladdr {NOBODY} nud permanent dev eth0"));
        }
    }

    /// They reach each other again.
    pub(crate) fn join(self, other: Self) {
        for (one, other) in [(self, other), (other, self)] {
            ip_in(one.name, &format!("neigh del {} dev eth0", other.address()));
        }
    }
}

fn ip(commands: &str) {
    batch(&[], commands);
}

fn ip_in(namespace: &str, commands: &str) {
    batch(&["-n", namespace], commands);
}

fn batch(options: &[&str], commands: &str) {
    let mut command = Command::new("ip");
    command.args(options).args(["-batch", "-"]).stdin(Stdio::piped());
    let child = command.spawn();
    let mut child = child.unwrap_or_else(|error| panic!("ip: {error}; install the package `iproute2`"));
    child.stdin.take().unwrap().write_all(format!("{commands}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{options:?}: {commands}");
}

pub(crate) fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(status.success(), "{program} {arguments:?}");
}
