//! A private Valkey or Redis server, on a free port of the loopback interface, without persistence.

use core::time::Duration;
use std::env;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisResult};

/// The program, if one is installed.
pub fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    ["valkey-server", "redis-server"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}

pub struct Server {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Server {
    pub async fn start(program: PathBuf) -> io::Result<Self> {
        // A port that was free a moment ago. If it has been taken meanwhile, another is tried.
        for _ in 0..10 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                .local_addr()?
                .port();
            let folder = tempfile::tempdir()?;
            let child = spawn(&program, &folder, port)?;
            let mut server = Self {
                program: program.clone(),
                folder,
                port,
                child,
            };
            if server.answers().await? {
                return Ok(server);
            }
        }
        Err(io::Error::other("ten ports were taken"))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server, and starts an empty one in its place.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.end();
        self.child = spawn(&self.program, &self.folder, self.port)?;
        match self.answers().await? {
            true => Ok(()),
            false => Err(io::Error::other("its port was taken meanwhile")),
        }
    }

    pub async fn flush(&self) -> io::Result<()> {
        let flush = async {
            let mut connection = connect(self.port).await?;
            redis::cmd("FLUSHALL").exec_async(&mut connection).await
        };
        flush.await.map_err(io::Error::other)
    }

    /// Waits until this server answers; `false` if it has ended.
    async fn answers(&mut self) -> io::Result<bool> {
        for _ in 0..1000 {
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            if connect(self.port).await.is_ok() {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(io::Error::other("the server does not answer"))
    }

    fn end(&mut self) {
        // By its process id, without asking it to save anything.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(program: &PathBuf, folder: &tempfile::TempDir, port: u16) -> io::Result<Child> {
    Command::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// A connection that gives up soon: a server that does not answer is down.
pub async fn connect(port: u16) -> RedisResult<MultiplexedConnection> {
    const PATIENCE: Duration = Duration::from_secs(2);

    let client = redis::Client::open((Ipv4Addr::LOCALHOST.to_string(), port))?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}
