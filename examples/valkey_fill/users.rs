//! Users in the database, and in front of it a cache that all processes share: the usual way, and fenced.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, RedisResult};

use crate::fence::{Begun, Fences, TTL, entry, milliseconds};
use crate::server::connect;
use crate::shared::{Count, Row, Shared};

/// How to keep the entries right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Change the database, then delete the entry.
    Usual,
    Fenced(Remedies),
}

/// The fence's remedies for faults that no process can rule out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remedies {
    /// A server may forget everything. A fence made anew has a new nonce, so older stamps do not match.
    pub nonces: bool,
    /// A writer may be late. It checks that it still has its lease before it commits.
    pub renews: bool,
    /// A writer may be late all the same. It commits only if the row is as it was before the section.
    pub row_versions: bool,
}

impl Remedies {
    pub const ALL: Self = Self {
        nonces: true,
        renews: true,
        row_versions: true,
    };
}

pub struct Users {
    pub shared: Shared,
    port: u16,
    way: Way,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Users {
    pub fn new(shared: Shared, port: u16, way: Way) -> Self {
        let connection = Mutex::default();
        Self {
            shared,
            port,
            way,
            connection,
        }
    }

    pub fn way(&self) -> Way {
        self.way
    }

    /// The version of a user: from the cache, or from the database where there is no cache.
    pub async fn get(&self, key: u64) -> u32 {
        let got = match self.way {
            Way::Usual => self.get_usual(key).await,
            Way::Fenced(remedies) => self.get_fenced(key, remedies).await,
        };
        match got {
            Ok(version) => version,
            Err(error) => {
                self.failed(&error).await;
                self.load(key).await
            }
        }
    }

    async fn get_usual(&self, key: u64) -> RedisResult<u32> {
        let mut connection = self.connected().await?;
        if let Some(version) = connection.get(entry(key)).await? {
            self.shared.count(Count::Hits);
            return Ok(version);
        }
        let version = self.load(key).await;
        let ttl = milliseconds(TTL);
        let () = connection.pset_ex(entry(key), version, ttl).await?;
        Ok(version)
    }

    async fn get_fenced(&self, key: u64, remedies: Remedies) -> RedisResult<u32> {
        let fences = self.fences(remedies).await?;
        match fences.begin(key).await? {
            Begun::Hit(value) => {
                self.shared.count(Count::Hits);
                Ok(parse(&value))
            }
            Begun::Running => {
                self.shared.count(Count::NotKept);
                Ok(self.load(key).await)
            }
            Begun::Miss { stamp, dead } => {
                if dead && remedies.row_versions {
                    self.shared.keep_out(key); // after the stamp, before the load
                }
                let version = self.load(key).await;
                let value = version.to_string();
                if !fences.publish(key, &stamp, value.as_bytes()).await? {
                    self.shared.count(Count::NotKept);
                }
                Ok(version) // this very call loaded it
            }
        }
    }

    /// Changes a user, and returns its new version once no older one will be served.
    pub async fn update(&self, key: u64) -> Option<u32> {
        let updated = match self.way {
            Way::Usual => self.update_usual(key).await,
            Way::Fenced(remedies) => self.update_fenced(key, remedies).await,
        };
        if let Err(error) = &updated {
            self.failed(error).await;
        }
        updated.ok()
    }

    async fn update_usual(&self, key: u64) -> RedisResult<u32> {
        let mut connection = self.connected().await?;
        way_there().await;
        let version = self.shared.commit(key, None).expect("no condition");
        way_there().await;
        let () = connection.del(entry(key)).await?;
        Ok(version)
    }

    async fn update_fenced(&self, key: u64, remedies: Remedies) -> RedisResult<u32> {
        let fences = self.fences(remedies).await?;
        loop {
            let writer = fastrand::u64(..);
            let row = self.read(key).await; // before the section: anything that keeps this writer out comes later
            fences.enter(key, writer).await?; // before the change: if this fails, nothing has been changed
            way_there().await;
            let in_time = !remedies.renews || fences.renew(key, writer).await?;
            let lock = remedies.row_versions.then_some(row.lock);
            let committed = match in_time {
                true => self.shared.commit(key, lock),
                false => None,
            };
            way_there().await;
            // If this fails, the lease ends the section: the entry is gone, and comes back after that.
            let left = fences.leave(key, writer).await;
            if committed.is_none() || matches!(left, Ok(false)) {
                self.shared.count(Count::Lost);
            }
            if let Some(version) = committed {
                return Ok(version);
            }
        }
    }

    async fn load(&self, key: u64) -> u32 {
        self.shared.count(Count::Loads);
        self.read(key).await.version
    }

    pub async fn read(&self, key: u64) -> Row {
        way_there().await;
        let row = self.shared.read(key);
        way_there().await;
        row
    }

    pub async fn fences(&self, remedies: Remedies) -> RedisResult<Fences> {
        let connection = self.connected().await?;
        Ok(Fences::new(connection, remedies.nonces))
    }

    async fn connected(&self) -> RedisResult<MultiplexedConnection> {
        if let Some(connection) = self.connection().clone() {
            return Ok(connection);
        }
        let connection = connect(self.port).await?;
        *self.connection() = Some(connection.clone());
        Ok(connection)
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Option<MultiplexedConnection>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection is needed when the server comes back.
    async fn failed(&self, error: &redis::RedisError) {
        assert!(
            !matches!(error.kind(), redis::ErrorKind::UnexpectedReturnType),
            "{error}"
        );
        self.shared.count(Count::Failed);
        *self.connection() = None;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The way to the database or back: it is far away.
async fn way_there() {
    tokio::time::sleep(Duration::from_millis(1).mul_f64(fastrand::f64())).await;
}

fn parse(value: &[u8]) -> u32 {
    let text = core::str::from_utf8(value).expect("a version is text");
    text.parse().expect("a version is a number")
}
