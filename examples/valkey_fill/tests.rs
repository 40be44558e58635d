//! The faults one by one, step by step, on a real server; then every case for a moment at full speed.

use core::future::Future;
use core::time::Duration;
use std::env;
use std::io::{self, Write};

use redis::AsyncCommands;
use tempfile::NamedTempFile;

use crate::faults;
use crate::fence::{Begun, Fences, LEASE};
use crate::process::{Job, Process};
use crate::server::{self, Server};
use crate::shared::{Count, Shared};
use crate::users::{Remedies, Users, Way};

const KEY: u64 = 0;
const ALL: Remedies = Remedies::ALL;
/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// Not a test by itself: the entry point of the processes that the tests start.
#[test]
fn one_of_the_processes() {
    crate::process::work_if_told();
}

/// A server, and what is in front of it and behind.
struct World {
    server: Server,
    users: Users,
    fences: Fences,
    file: NamedTempFile,
}

impl World {
    async fn new(server: Server, remedies: Remedies) -> io::Result<Self> {
        let file = NamedTempFile::new()?;
        let shared = Shared::create(file.as_file())?;
        let users = Users::new(shared, server.port(), Way::Fenced(remedies));
        let fences = users.fences(remedies).await.map_err(io::Error::other)?;
        Ok(Self {
            server,
            users,
            fences,
            file,
        })
    }

    /// Begins a fill that finds nothing.
    async fn stamp(&self) -> String {
        match self.fences.begin(KEY).await {
            Ok(Begun::Miss { stamp, .. }) => stamp,
            other => panic!("expected a miss, not {other:?}"),
        }
    }

    /// Waits until the fence has given up the writers it knew of.
    async fn until_leases_end(&self) {
        while let Begun::Running = self.fences.begin(KEY).await.expect("the server answers") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn start(&self, job: Job) -> Process {
        let way = self.users.way();
        Process::start(job, self.server.port(), way, self.file.path())
            .expect("a process can be started")
    }

    /// Empties the server by a restart, and opens a new connection.
    async fn restart(&mut self, remedies: Remedies) {
        self.server.restart().await.expect("it starts again");
        let shared = Shared::open(self.file.as_file()).expect("it is there");
        self.users = Users::new(shared, self.server.port(), Way::Fenced(remedies));
        let fences = self.users.fences(remedies).await;
        self.fences = fences.expect("the server answers");
    }
}

/// Runs a story with its own server, or says that it was skipped. It takes a moment, or hangs.
fn with_server<F: Future<Output = ()>>(story: impl FnOnce(Server) -> F) {
    const DEADLINE: Duration = Duration::from_secs(120);

    let Some(program) = server::find() else {
        let strict = env::var_os("VALKEY_FILL_STRICT").is_some();
        assert!(
            !strict,
            "neither valkey-server nor redis-server is installed"
        );
        // Not with `eprintln!`: what that prints is shown for failed tests only.
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = writeln!(
            io::stderr(),
            "{name} skipped: neither valkey-server nor redis-server is installed"
        );
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be started");
    runtime.block_on(async {
        let story = async {
            let server = Server::start(program).await;
            story(server.expect("the server starts")).await;
        };
        let ended = tokio::time::timeout(DEADLINE, story).await;
        ended.expect("a story takes a moment, not two minutes");
    });
}

#[test]
fn deleting_after_an_update_lets_an_old_fill_come_back() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();
        let mut connection = server::connect(world.server.port()).await.unwrap();
        let entry = crate::fence::entry(KEY);

        let loaded = world.users.read(KEY).await; // before the update
        world.users.shared.commit(KEY, None);
        let () = connection.del(&entry).await.unwrap(); // nothing there yet
        let () = connection.set(&entry, loaded.version).await.unwrap();
        let served: u32 = connection.get(&entry).await.unwrap();
        assert_eq!(served, 0);
        assert_eq!(world.users.read(KEY).await.version, 1);
    });
}

#[test]
fn a_fill_that_an_update_overlapped_is_not_kept() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();

        let stamp = world.stamp().await;
        let loaded = world.users.read(KEY).await; // before the update
        assert_eq!(world.users.update(KEY).await, Some(1));
        let old = loaded.version.to_string();
        let kept = world.fences.publish(KEY, &stamp, old.as_bytes()).await;
        assert!(!kept.unwrap());
        assert_eq!(world.users.get(KEY).await, 1);
        assert_eq!(world.users.shared.counted(Count::Hits), 0);
        assert_eq!(world.users.get(KEY).await, 1);
        assert_eq!(world.users.shared.counted(Count::Hits), 1);
    });
}

#[test]
fn nothing_is_kept_while_any_of_two_writers_runs() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();
        let fences = world.fences.clone().with_lease(FOR_EVER);

        assert_eq!(world.users.get(KEY).await, 0); // kept
        fences.enter(KEY, 1).await.unwrap();
        assert!(matches!(fences.begin(KEY).await, Ok(Begun::Running)));
        fences.enter(KEY, 2).await.unwrap();
        assert!(fences.leave(KEY, 1).await.unwrap());
        assert!(matches!(fences.begin(KEY).await, Ok(Begun::Running)));
        assert!(fences.leave(KEY, 2).await.unwrap());
        let stamp = world.stamp().await;
        assert!(fences.publish(KEY, &stamp, b"0").await.unwrap());
        assert!(matches!(fences.begin(KEY).await, Ok(Begun::Hit(value)) if value == b"0"));
    });
}

#[test]
fn a_fill_is_not_kept_while_a_later_writer_runs() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();
        let fences = world.fences.clone().with_lease(FOR_EVER);

        let stamp = world.stamp().await;
        fences.enter(KEY, 1).await.unwrap();
        assert!(!fences.publish(KEY, &stamp, b"0").await.unwrap());
    });
}

#[test]
fn a_lease_lasts_as_long_as_it_was_last_renewed_for() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();
        let moment = world.fences.clone().with_lease(Duration::from_millis(1));
        let for_ever = world.fences.clone().with_lease(FOR_EVER);

        for_ever.enter(KEY, 1).await.unwrap();
        assert!(moment.renew(KEY, 1).await.unwrap());
        world.until_leases_end().await;
        assert!(!for_ever.renew(KEY, 1).await.unwrap());
        assert!(!for_ever.leave(KEY, 1).await.unwrap());
    });
}

#[test]
fn a_writer_that_was_killed_in_its_section_holds_up_fills_for_its_lease_and_no_longer() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();

        assert_eq!(world.users.get(KEY).await, 0);
        let mut writer = world.start(Job::StandStill);
        world.users.shared.until(Count::Entered).await;
        writer.kill();
        world.until_leases_end().await;
        assert_eq!(world.users.get(KEY).await, 0);
        let hits = world.users.shared.counted(Count::Hits);
        assert_eq!(world.users.get(KEY).await, 0);
        assert_eq!(world.users.shared.counted(Count::Hits), hits + 1);
        assert_eq!(world.users.update(KEY).await, Some(1));
        assert_eq!(world.users.get(KEY).await, 1);
    });
}

#[test]
fn a_fill_from_before_a_writer_that_died_is_not_kept() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();
        let moment = world.fences.clone().with_lease(Duration::from_millis(1));

        let stamp = world.stamp().await;
        let loaded = world.users.read(KEY).await; // before the change
        moment.enter(KEY, 1).await.unwrap();
        world.users.shared.commit(KEY, None); // and dies
        world.until_leases_end().await;
        let old = loaded.version.to_string();
        let kept = world.fences.publish(KEY, &stamp, old.as_bytes()).await;
        assert!(!kept.unwrap());
        assert_eq!(world.users.get(KEY).await, 1);
    });
}

/// A writer is stopped in its section until its lease has run out and others have filled, and then goes on. What are
/// others served after it has, or has not, changed the database?
async fn late_writer(server: Server, remedies: Remedies) -> World {
    let world = World::new(server, remedies).await.unwrap();
    let shared = &world.users.shared;

    assert_eq!(world.users.get(KEY).await, 0); // the fence knows of all writers from here on
    let mut writer = world.start(Job::StandStill);
    shared.until(Count::Entered).await;
    writer.signal("STOP").unwrap();
    world.until_leases_end().await;
    assert_eq!(world.users.get(KEY).await, 0); // filled again
    writer.signal("CONT").unwrap();
    shared.count(Count::MayCommit);
    while shared.counted(Count::Committed) + shared.counted(Count::KeptOut) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let getting = shared.getting(KEY);
    shared.got(&getting, world.users.get(KEY).await);
    shared.count(Count::MayLeave);
    writer.join().unwrap();
    let getting = shared.getting(KEY);
    shared.got(&getting, world.users.get(KEY).await);
    world
}

#[test]
fn a_late_writer_leaves_others_behind_until_it_leaves() {
    with_server(async |server| {
        let without = Remedies {
            row_versions: false,
            ..ALL
        };
        let world = late_writer(server, without).await;
        let shared = &world.users.shared;
        assert_eq!(shared.counted(Count::Committed), 1);
        assert_eq!(shared.counted(Count::Behind), 1); // while it was in its section, and not after
        assert_eq!(shared.counted(Count::Stale), 0);
    });
}

#[test]
fn a_late_writer_is_kept_out_where_rows_have_versions() {
    with_server(async |server| {
        let world = late_writer(server, ALL).await;
        let shared = &world.users.shared;
        assert_eq!(shared.counted(Count::KeptOut), 1);
        assert_eq!(shared.read(KEY).version, 1); // it tried again
        assert_eq!(shared.counted(Count::Behind), 0);
    });
}

/// How the server loses everything.
#[derive(Clone, Copy)]
enum Forgets {
    Restarted,
    Flushed,
}

/// A fill begins, an update runs from start to end, the server forgets both, and the fill goes on. What is served
/// then?
async fn forgotten(server: Server, how: Forgets, remedies: Remedies) -> u32 {
    let mut world = World::new(server, remedies).await.unwrap();

    let stamp = world.stamp().await;
    let loaded = world.users.read(KEY).await; // before the update
    assert_eq!(world.users.update(KEY).await, Some(1));
    match how {
        Forgets::Restarted => world.restart(remedies).await,
        Forgets::Flushed => world.server.flush().await.unwrap(),
    }
    let old = loaded.version.to_string();
    let kept = world.fences.publish(KEY, &stamp, old.as_bytes()).await;
    assert_eq!(kept.unwrap(), !remedies.nonces);
    world.users.get(KEY).await
}

const NO_NONCES: Remedies = Remedies {
    nonces: false,
    ..ALL
};

#[test]
fn a_server_that_was_restarted_empty_keeps_no_fill_from_before() {
    with_server(async |server| {
        assert_eq!(forgotten(server, Forgets::Restarted, ALL).await, 1);
    });
}

#[test]
fn a_server_that_was_restarted_empty_keeps_an_old_fill_without_nonces() {
    with_server(async |server| {
        assert_eq!(forgotten(server, Forgets::Restarted, NO_NONCES).await, 0);
    });
}

#[test]
fn a_flush_in_the_middle_of_a_fill_keeps_nothing_from_before() {
    with_server(async |server| {
        assert_eq!(forgotten(server, Forgets::Flushed, ALL).await, 1);
    });
}

#[test]
fn a_flush_in_the_middle_of_a_fill_keeps_an_old_one_without_nonces() {
    with_server(async |server| {
        assert_eq!(forgotten(server, Forgets::Flushed, NO_NONCES).await, 0);
    });
}

/// The fence is lost while a writer that it knew of is at work.
#[test]
fn a_writer_that_the_server_has_forgotten_is_kept_out() {
    with_server(async |server| {
        let world = World::new(server, ALL).await.unwrap();
        let shared = &world.users.shared;

        let mut writer = world.start(Job::StandStill);
        shared.until(Count::Entered).await;
        world.server.flush().await.unwrap();
        assert_eq!(world.users.get(KEY).await, 0); // no writer runs, as far as the server knows
        shared.count(Count::MayCommit);
        shared.count(Count::MayLeave);
        writer.join().unwrap();
        assert_eq!(shared.counted(Count::KeptOut), 1);
        assert_eq!(shared.read(KEY).version, 1);
        assert_eq!(world.users.get(KEY).await, 1);
    });
}

#[test]
fn nothing_is_stale_whatever_goes_wrong() {
    with_server(async |mut server| {
        let must_hold = faults::cases().into_iter().filter(faults::Case::must_hold);
        for case in must_hold {
            let time = LEASE * 2;
            let outcome = faults::run(&mut server, case, time).await.unwrap();
            assert_eq!((outcome.stale, outcome.behind), (0, 0), "{outcome}");
        }
    });
}
