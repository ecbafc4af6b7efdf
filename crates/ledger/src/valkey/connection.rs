//! One connection to one server. It is never made anew by itself: whoever makes another has to look at the server again.

use super::resp::{self, Command, Value};
use crate::{target::Host, tls::Tls};
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// A connection that is silent for so long while it owes a reply is dead.
pub(crate) const SILENCE: Duration = Duration::from_millis(500);

/// Commands that may wait to be written.
const QUEUE: usize = 256;

/// What a connection ended of, for operators.
pub(crate) type Why = Arc<str>;

type Reply = oneshot::Sender<Value>;

trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    commands: mpsc::Sender<(Vec<u8>, Expected)>,
    ended: watch::Receiver<Option<Why>>,
    end: Arc<watch::Sender<Option<Why>>>,
    task: JoinHandle<()>,
}

/// What answers a command.
#[derive(Debug)]
enum Expected {
    Reply(Reply),
    /// Of SUBSCRIBE a push, unless it is refused.
    Subscribed(Reply),
}

/// What comes by itself, on a channel.
pub(crate) type Pushed = Box<dyn Fn(Vec<u8>, Vec<u8>) + Send + Sync>;

impl Connection {
    /// Connects, by TLS if there is one.
    pub(crate) async fn open(host: &Host, tls: Option<&Tls>, pushed: Pushed) -> Result<Self, String> {
        let socket =
            TcpStream::connect((host.name.as_str(), host.port)).await.map_err(|error| error.to_string())?;
        socket.set_nodelay(true).map_err(|error| error.to_string())?;
        let stream: Pin<Box<dyn Stream>> = match tls {
            Some(tls) => Box::pin(tls.shake(socket, &host.name).await?),
            None => Box::pin(socket),
        };
        let (commands, waiting) = mpsc::channel(QUEUE);
        let (end, ended) = watch::channel(None);
        let end = Arc::new(end);
        let carrier =
            Carrier { stream, expected: VecDeque::new(), input: Vec::new(), heard: Instant::now(), pushed };
        let told = Arc::clone(&end);
        let task = tokio::spawn(async move {
            let why = carrier.carry(waiting).await;
            told.send_if_modified(|ended| {
                ended.is_none() && {
                    *ended = Some(why);
                    true
                }
            });
        });
        Ok(Self { commands, ended, end, task })
    }

    /// Sends a command and waits for its reply as long as it takes.
    pub(crate) async fn ask(&self, command: Command) -> Result<Value, Why> {
        let (reply, answer) = oneshot::channel();
        self.send(command, Expected::Reply(reply), answer).await
    }

    /// Subscribes to a channel: what is published there comes to `pushed` of [`Self::open`].
    pub(crate) async fn subscribe(&self, channel: &str) -> Result<Value, Why> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::words(&["SUBSCRIBE", channel]), Expected::Subscribed(reply), answer).await
    }

    async fn send(
        &self,
        command: Command,
        expected: Expected,
        answer: oneshot::Receiver<Value>,
    ) -> Result<Value, Why> {
        if self.commands.send((command.into_bytes(), expected)).await.is_ok()
            && let Ok(value) = answer.await
            && !self.has_ended()
        {
            return Ok(value);
        }
        Err(self.ended().await)
    }

    /// Ends it. What is under way gets no reply.
    pub(crate) fn end(&self, why: &str) {
        self.task.abort();
        self.end.send_if_modified(|ended| {
            ended.is_none() && {
                *ended = Some(why.into());
                true
            }
        });
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) -> Why {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_else(|| "closed".into()),
            Err(_) => "closed".into(),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries commands and replies.
struct Carrier {
    stream: Pin<Box<dyn Stream>>,
    expected: VecDeque<Expected>,
    input: Vec<u8>,
    /// When something was heard, or began to be waited for.
    heard: Instant,
    pushed: Pushed,
}

impl Carrier {
    async fn carry(mut self, mut commands: mpsc::Receiver<(Vec<u8>, Expected)>) -> Why {
        loop {
            let is_owed = !self.expected.is_empty();
            let outcome = tokio::select! {
                command = commands.recv() => match command {
                    Some((bytes, expected)) => self.write(bytes, expected).await,
                    None => return "closed".into(),
                },
                read = self.stream.read_buf(&mut self.input) => match read {
                    Ok(0) => return "the server closed the connection".into(),
                    Ok(_) => self.take(),
                    Err(error) => return error.to_string().into(),
                },
                () = sleep_until(self.heard + SILENCE), if is_owed => {
                    return format!("no reply for {} ms", SILENCE.as_millis()).into();
                }
            };
            if let Err(why) = outcome {
                return why;
            }
        }
    }

    async fn write(&mut self, bytes: Vec<u8>, expected: Expected) -> Result<(), Why> {
        if self.expected.is_empty() {
            self.heard = Instant::now();
        }
        self.expected.push_back(expected);
        let written = tokio::time::timeout(SILENCE, self.stream.write_all(&bytes)).await;
        let written = written.map_err(|_| Why::from("the server does not read"))?;
        written.map_err(|error| error.to_string())?;
        self.stream.flush().await.map_err(|error| error.to_string().into())
    }

    /// Takes what has come.
    fn take(&mut self) -> Result<(), Why> {
        self.heard = Instant::now();
        let mut taken = 0;
        while let Some((value, length)) = resp::read(self.input.get(taken..).unwrap_or_default())
            .map_err(|_| Why::from("the server does not speak the protocol of Redis"))?
        {
            taken += length;
            self.dispatch(value)?;
        }
        self.input.drain(..taken);
        Ok(())
    }

    fn dispatch(&mut self, value: Value) -> Result<(), Why> {
        if let Value::Push(parts) = value {
            self.take_push(parts);
            return Ok(());
        }
        match self.expected.pop_front() {
            Some(Expected::Reply(reply) | Expected::Subscribed(reply)) => {
                // Nobody waits for it any more: its time was over.
                let _ = reply.send(value);
                Ok(())
            }
            None => Err("the server sent a reply that nothing was asked for".into()),
        }
    }

    fn take_push(&mut self, parts: Vec<Value>) {
        let mut parts = parts.into_iter().map(Value::into_text);
        match (parts.next().flatten().as_deref(), parts.next().flatten(), parts.next().flatten()) {
            (Some(b"message"), Some(channel), Some(payload)) => (self.pushed)(channel, payload),
            (Some(b"subscribe"), _, _) if matches!(self.expected.front(), Some(Expected::Subscribed(_))) => {
                if let Some(Expected::Subscribed(reply)) = self.expected.pop_front() {
                    let _ = reply.send(Value::Null);
                }
            }
            _ => {} // invalidations and the like, which were not asked for
        }
    }
}

/// A value that threads share for moments.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
