//! The client side of the fence on the server. You can copy this, together with `fence.lua`.

use core::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script, ScriptInvocation};

/// How long an entry may be served: the bound on whatever goes wrong.
pub const TTL: Duration = Duration::from_secs(10);
/// How long a writer may take before others go on without it.
pub const LEASE: Duration = Duration::from_millis(300);
/// How long the fence of an unused key is kept. Losing one only costs a load.
const KEEP: Duration = Duration::from_secs(60);

/// What a reader finds.
#[derive(Debug)]
pub enum Begun {
    /// An entry that may be served.
    Hit(Vec<u8>),
    /// A writer is at work: load, and keep nothing.
    Running,
    /// No entry: load, and publish under the stamp.
    Miss {
        stamp: String,
        /// Whether a writer that the fence has given up may still be at work, and has to be kept from the
        /// source.
        dead: bool,
    },
}

/// The fences of all keys, on one connection.
#[derive(Clone)]
pub struct Fences {
    connection: MultiplexedConnection,
    script: Script,
    nonces: bool,
    lease: Duration,
}

impl Fences {
    /// Without `nonces`, a fence made anew after a loss looks like the lost one. This shows what
    /// they are for.
    pub fn new(connection: MultiplexedConnection, nonces: bool) -> Self {
        let script = Script::new(include_str!("fence.lua"));
        Self {
            connection,
            script,
            nonces,
            lease: LEASE,
        }
    }

    /// The same, with another lease for writers that enter.
    #[cfg(test)]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Looks for an entry, or begins to fill it.
    pub async fn begin(&self, key: u64) -> RedisResult<Begun> {
        let step = self.step(key, "begin");
        let (found, what): (String, Vec<u8>) = self.run(step).await?;
        let stamp = |what| String::from_utf8(what).expect("a stamp is text");
        Ok(match &found[..] {
            "hit" => Begun::Hit(what),
            "running" => Begun::Running,
            dead_or_miss => Begun::Miss {
                stamp: stamp(what),
                dead: dead_or_miss == "dead",
            },
        })
    }

    /// Stores an entry, unless a section has run since the stamp was taken, or is running. Check and store are
    /// one step, so there is nothing to take back.
    pub async fn publish(&self, key: u64, stamp: &str, value: &[u8]) -> RedisResult<bool> {
        let mut step = self.step(key, "publish");
        step.arg(stamp).arg(value).arg(milliseconds(TTL));
        self.run(step).await
    }

    /// Begins a section, and removes the entry. It ends with `leave`, or when the lease does.
    pub async fn enter(&self, key: u64, writer: u64) -> RedisResult<()> {
        let mut step = self.step(key, "enter");
        step.arg(writer).arg(milliseconds(self.lease));
        self.run(step).await
    }

    /// Renews the writer's lease; `false` if it has lost the one it had.
    pub async fn renew(&self, key: u64, writer: u64) -> RedisResult<bool> {
        let mut step = self.step(key, "renew");
        step.arg(writer).arg(milliseconds(self.lease));
        self.run(step).await
    }

    /// Ends a section, and removes the entry; `false` if the lease had run out and others did not wait.
    pub async fn leave(&self, key: u64, writer: u64) -> RedisResult<bool> {
        let mut step = self.step(key, "leave");
        step.arg(writer);
        self.run(step).await
    }

    fn step(&self, key: u64, step: &str) -> ScriptInvocation<'_> {
        let nonce = if self.nonces { fastrand::u64(..) } else { 0 };
        let mut invocation = self.script.prepare_invoke();
        invocation
            .key(entry(key))
            .key(format!("{{user:{key}}}:fence"))
            .arg(step)
            .arg(nonce)
            .arg(milliseconds(KEEP));
        invocation
    }

    async fn run<T: redis::FromRedisValue>(&self, step: ScriptInvocation<'_>) -> RedisResult<T> {
        step.invoke_async(&mut self.connection.clone()).await
    }
}

/// The braces keep the keys of one user on one server of a cluster.
pub fn entry(key: u64) -> String {
    format!("{{user:{key}}}:entry")
}

pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("nobody waits that long")
}
