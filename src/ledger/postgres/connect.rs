//! Connections to a shared ledger: where, as whom, and what holds in every session.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};

use super::error::{Attempted, PostgresError};
use super::passfile::Asked;
use super::password::PasswordSource;
use super::tls::connector;
use super::url::{Host, LedgerUrl, Protection, Server};

/// What PostgreSQL's views call this program.
const APPLICATION: &str = concat!("referral-bulk/", env!("CARGO_PKG_VERSION"));

/// When a connection that is idle is asked whether it still stands, how often, and how many answers may be missing.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);

/// The longest time for which what was sent may stay unacknowledged, where the system can tell. It is shorter than a
/// lease, so that a worker knows that its line is dead before another one takes over.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// What holds in every session, whatever the database or the role was given as its default. Under another isolation a
/// statement would not see what was committed while it waited for a lock. A statement that is cancelled while it waits
/// for a standby is committed all the same, and says so in a warning alone: so it isn't the statement whose time is
/// limited, but the wait for a lock, which takes this long only behind something that hangs.
const SESSION: &str = "
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = 0;
    SET lock_timeout = '10s';
";

/// A shared ledger, and how a process connects to it.
#[derive(Debug, Clone)]
pub struct LedgerServer {
    /// Where it is.
    pub url: LedgerUrl,
    /// Where the password comes from.
    pub password: PasswordSource,
    /// The role that connects where the URL names none.
    pub fallback_user: Option<String>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// For writing: a server that takes no writes is passed over.
    Write,
    /// For looking at a server, whatever it is.
    Look,
}

/// A shared ledger that this process is connected to, or a database that may hold one.
pub struct SharedLedger {
    pub(super) client: Client,
    pub(super) protection: Protection,
    /// Where and as whom it is connected.
    pub(super) at: Attempted,
}

impl SharedLedger {
    /// Connects to the first server of a ledger that takes writes.
    ///
    /// # Errors
    /// Returns why none can be used.
    pub async fn connect(ledger: &LedgerServer) -> Result<Self, PostgresError> {
        Self::connect_for(Access::Write, ledger).await
    }

    /// Connects to the first server of a ledger that takes writes, else to one that takes none.
    ///
    /// # Errors
    /// Returns why none can be reached.
    pub async fn connect_to_look(ledger: &LedgerServer) -> Result<Self, PostgresError> {
        match Self::connect_for(Access::Write, ledger).await {
            Err(PostgresError::ReadOnly { .. }) => Self::connect_for(Access::Look, ledger).await,
            connected => connected,
        }
    }

    /// Connects to the first server of a ledger that can be used. That one takes no writes is told only where nothing
    /// else is wrong.
    async fn connect_for(access: Access, ledger: &LedgerServer) -> Result<Self, PostgresError> {
        let mut found: Option<PostgresError> = None;
        for server in ledger.url.servers() {
            match Self::connect_to(server, ledger, access).await {
                Ok(connected) => return Ok(connected),
                Err(error) if matches!(found, None | Some(PostgresError::ReadOnly { .. })) => {
                    found = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(found.expect("a URL names a server at least"))
    }

    /// Connects to a server, at the first of its addresses that can be used.
    async fn connect_to(
        server: &Server,
        ledger: &LedgerServer,
        access: Access,
    ) -> Result<Self, PostgresError> {
        let at = Attempted::of(server, ledger)?;
        let limit = ledger.url.connect_timeout();
        let addresses = addresses(server, limit).await?;
        let host = host_name(server);
        let asked = Asked { host: &host, port: server.port, database: &at.database, user: &at.user };
        let fetched = ledger.password.fetch(&asked).await;
        let (password, ignored) = fetched.map_err(PostgresError::PasswordCommand)?;
        let mut config = config(server, &at, access);
        if let Some(password) = &password {
            config.password(password.expose_secret());
        }
        let mut found: Option<PostgresError> = None;
        for address in addresses {
            let mut config = config.clone();
            if let Some(address) = address {
                config.hostaddr(address);
            }
            let begun = timeout(limit, begin(&config, server.protection, ledger)).await;
            let error = match begun {
                Ok(Ok(client)) => return Ok(Self { client, protection: server.protection, at }),
                Ok(Err(Failed::Roots(error))) => return Err(error),
                Ok(Err(Failed::Driver(error))) => PostgresError::connecting(&error, &at, ignored.clone()),
                Err(_) => PostgresError::TimedOut { server: at.server.clone(), seconds: limit.as_secs() },
            };
            // `localhost` has two addresses, and a server often listens at one of them: what it says counts.
            if !found.as_ref().is_some_and(PostgresError::is_answer) {
                found = Some(error);
            }
        }
        Err(found.unwrap_or(PostgresError::NoSuchHost { server: at.server }))
    }

    /// Returns the name of the role that is connected.
    pub fn user(&self) -> &str {
        &self.at.user
    }

    /// Returns the name of the database.
    pub fn database(&self) -> &str {
        &self.at.database
    }

    /// Returns the server, as messages name it.
    pub fn server(&self) -> &str {
        &self.at.server
    }

    /// Makes the error of a statement.
    pub(super) fn failed(&self, error: &tokio_postgres::Error) -> PostgresError {
        PostgresError::of(error, &self.at.user)
    }
}

impl Attempted {
    /// Returns where and as whom a connection to a server is made.
    fn of(server: &Server, ledger: &LedgerServer) -> Result<Self, PostgresError> {
        let user = ledger.url.user().or(ledger.fallback_user.as_deref());
        let user = user.ok_or(PostgresError::NoUser)?.to_owned();
        // As PostgreSQL's own programs take it.
        let database = ledger.url.database().unwrap_or(&user).to_owned();
        Ok(Self { server: server.to_string(), user, database })
    }
}

/// Why a connection did not come about.
enum Failed {
    Driver(tokio_postgres::Error),
    Roots(PostgresError),
}

/// Connects, and sets the session up.
async fn begin(config: &Config, protection: Protection, ledger: &LedgerServer) -> Result<Client, Failed> {
    let client = match protection {
        Protection::Local => {
            let (client, connection) = config.connect(NoTls).await.map_err(Failed::Driver)?;
            drive(connection);
            client
        }
        Protection::Tls => {
            let connector = connector(ledger.url.root_certificate()).map_err(Failed::Roots)?;
            let (client, connection) = config.connect(connector).await.map_err(Failed::Driver)?;
            drive(connection);
            client
        }
    };
    client.batch_execute(SESSION).await.map_err(Failed::Driver)?;
    Ok(client)
}

/// Lets a connection do its work, for as long as its client is there. Whatever ends it, the client is told.
fn drive<S>(connection: Connection<Socket, S>)
where
    Connection<Socket, S>: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    tokio::spawn(async move {
        let _ = connection.await;
    });
}

/// Returns the settings of a connection.
fn config(server: &Server, attempted: &Attempted, access: Access) -> Config {
    let (idle, interval, retries) = KEEPALIVE;
    let mut config = Config::new();
    match &server.host {
        Host::Tcp(name) => config.host(name),
        #[cfg(unix)]
        Host::Unix(directory) => config.host_path(directory),
    };
    config.port(server.port).user(&attempted.user).dbname(&attempted.database).application_name(APPLICATION);
    config.keepalives(true).keepalives_idle(idle).keepalives_interval(interval).keepalives_retries(retries);
    config.tcp_user_timeout(USER_TIMEOUT);
    config.ssl_mode(match server.protection {
        Protection::Tls => SslMode::Require,
        Protection::Local => SslMode::Disable,
    });
    config.target_session_attrs(match access {
        Access::Write => TargetSessionAttrs::ReadWrite,
        Access::Look => TargetSessionAttrs::Any,
    });
    config
}

/// Returns the name of a server's host, or the directory of its socket.
fn host_name(server: &Server) -> String {
    match &server.host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(directory) => directory.to_string_lossy().into_owned(),
    }
}

/// Returns the addresses of a server; a single `None` for a socket, which has none.
async fn addresses(server: &Server, limit: Duration) -> Result<Vec<Option<IpAddr>>, PostgresError> {
    let name = match &server.host {
        Host::Tcp(name) => name.as_str(),
        #[cfg(unix)]
        Host::Unix(_) => return Ok(vec![None]),
    };
    match timeout(limit, lookup_host((name, server.port))).await {
        Ok(Ok(found)) => Ok(found.map(|address| Some(address.ip())).collect()),
        Ok(Err(_)) => Err(PostgresError::NoSuchHost { server: server.to_string() }),
        Err(_) => Err(PostgresError::TimedOut { server: server.to_string(), seconds: limit.as_secs() }),
    }
}
