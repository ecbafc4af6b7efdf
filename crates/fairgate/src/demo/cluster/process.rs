//! A process of the demo: it is started again when it ends, so that it can be killed as often as one likes.

use crate::failure::Failure;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How long a process that ended stays away: long enough to see what happens without it.
pub(super) const AWAY: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// A process, its number in `NAME.pid` and what it prints in `NAME.log` of the demo's folder.
pub(super) struct Process {
    name: String,
    folder: PathBuf,
    command: Command,
    child: Option<Child>,
    /// It ended, and is started again then.
    again: Option<Instant>,
}

impl Process {
    pub(super) fn start(name: &str, folder: &Path, command: Command) -> Result<Self, Failure> {
        let (name, folder) = (name.to_owned(), folder.to_owned());
        let mut process = Self { name, folder, command, child: None, again: None };
        process.spawn()?;
        Ok(process)
    }

    /// Where its number is.
    pub(super) fn pid_file(name: &str, folder: &Path) -> PathBuf {
        folder.join(format!("{name}.pid"))
    }

    fn spawn(&mut self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(format!("cannot start {}: {error}", self.name));
        let log = File::options().create(true).append(true).open(self.log_file()).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        // In a group of its own: Ctrl-C is for the demo, which ends all in their order.
        self.command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        let child = self.command.spawn().map_err(failed)?;
        fs::write(Self::pid_file(&self.name, &self.folder), child.id().to_string()).map_err(failed)?;
        self.child = Some(child);
        Ok(())
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    /// What it has printed.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Waits until it is ready.
    pub(super) fn wait(&mut self, within: Duration, is_ready: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let begun = Instant::now();
        while !is_ready(self) {
            if let Some(status) = self.ended() {
                return Err(self.failed(&format!("{status}")));
            }
            if begun.elapsed() > within {
                return Err(self.failed("it is not ready in time"));
            }
            pause();
        }
        Ok(())
    }

    fn failed(&self, why: &str) -> Failure {
        let log = self.log();
        let mut last: Vec<&str> = log.lines().rev().take(10).collect();
        last.reverse();
        let message = format!("{} does not start: {why}\n{}", self.name, last.join("\n"));
        let is_of_listening = log.contains("cannot listen on") || log.contains("Failed listening on port");
        if is_of_listening { Failure::of_listening(message) } else { Failure::new(message) }
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok().flatten()
    }

    /// Starts it again some seconds after it ended. What is to be said about it, if anything.
    pub(super) fn look_after(&mut self) -> Option<String> {
        if let Some(status) = self.ended() {
            self.child = None;
            self.again = Some(Instant::now() + AWAY);
            let seconds = AWAY.as_secs();
            return Some(format!("{} ended ({status}) and is started again in {seconds} seconds", self.name));
        }
        self.again.take_if(|at| Instant::now() >= *at)?;
        Some(match self.spawn() {
            Ok(()) => format!("{} runs again", self.name),
            Err(failure) => failure.to_string(),
        })
    }

    /// Asks it to end.
    pub(super) fn signal(&self, signal: Signal) {
        let number = self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(number) = number.and_then(Pid::from_raw) {
            let _ = kill_process(number, signal);
        }
    }

    /// Waits until it has ended, and ends it by force if that takes longer than this.
    pub(super) fn end(mut self, within: Duration) {
        let begun = Instant::now();
        while self.child.is_some() && self.ended().is_none() && begun.elapsed() < within {
            pause();
        }
    }
}

/// Waits a moment before it is looked again.
#[expect(clippy::disallowed_methods, reason = "this thread serves nobody")]
pub(super) fn pause() {
    sleep(LOOK);
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
