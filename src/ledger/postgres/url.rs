//! The URL of a shared ledger: which servers, which database, and how a connection is protected.
//!
//! A connection that leaves this machine is encrypted, and the server's certificate is checked, its chain and its host
//! name: there is no setting that takes less. The password is never a part of the URL.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::Host as ParsedHost;

use crate::domain::characters::visible;
#[cfg(unix)]
use crate::domain::characters::visible_path;

/// The port that PostgreSQL listens on unless it is told otherwise.
const PORT: u16 = 5432;

/// The longest time that a connection to one server may take, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The URL of a shared ledger. It holds no password, so it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerUrl {
    text: String,
    servers: Vec<Server>,
    user: Option<String>,
    database: Option<String>,
    root_certificate: Option<PathBuf>,
    connect_timeout: Duration,
}

/// A server, and how a connection to it is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) protection: Protection,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// At an address, or a name that has some.
    Tcp(String),
    /// At a socket in a directory of this machine.
    #[cfg(unix)]
    Unix(PathBuf),
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// By TLS, with the server's certificate checked.
    Tls,
    /// Not at all: it stays on this machine.
    Local,
}

/// The reason why a text is no URL of a shared ledger. The text itself is not repeated, as it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerUrlError {
    /// It isn't read as such a URL.
    #[error("this is no URL of a PostgreSQL database: write it like postgres://user@db.example/referrals")]
    NoUrl,
    /// It names no server.
    #[error("this names no server: write it like postgres://user@db.example/referrals")]
    NoServer,
    /// It holds a password.
    #[error("this holds a password, where others can read it: leave it out")]
    Password,
    /// It asks for a connection to another machine without TLS.
    #[error(
        "sslmode=disable is for this machine alone: a connection to another one is encrypted, and its certificate checked"
    )]
    Plain,
    /// It has a parameter that isn't taken.
    #[error("the parameter \"{0}\" is not taken: a URL may have {PARAMETERS}")]
    Parameter(String),
    /// The value of a parameter isn't understood.
    #[error("the value of \"{0}\" is not understood")]
    Value(&'static str),
}

/// The parameters that a URL may have.
const PARAMETERS: &str = "host, port, dbname, user, sslmode, sslrootcert, connect_timeout";

impl LedgerUrl {
    /// Parses a URL in the form that PostgreSQL's own programs take, several servers included.
    ///
    /// # Errors
    /// See [`LedgerUrlError`].
    pub fn parse(text: &str) -> Result<Self, LedgerUrlError> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let rest = rest.ok_or(LedgerUrlError::NoUrl)?;
        if rest.split_once('@').is_some_and(|(credentials, _)| credentials.contains(':')) {
            return Err(LedgerUrlError::Password);
        }
        let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let parameters = Parameters::read(parameters)?;
        let passed_on = format!("postgres://{address}?{}", parameters.passed_on.join("&"));
        let config: Config = passed_on.trim_end_matches('?').parse().map_err(|_| LedgerUrlError::NoUrl)?;
        let servers = servers(&config, parameters.mode)?;
        Ok(Self {
            text: text.to_owned(),
            servers,
            user: config.get_user().filter(|user| !user.is_empty()).map(str::to_owned),
            database: config.get_dbname().map(str::to_owned),
            root_certificate: parameters.root_certificate,
            connect_timeout: parameters.connect_timeout.unwrap_or(CONNECT_TIMEOUT),
        })
    }

    /// Returns the URL as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the servers, in the order in which they are asked.
    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Returns the name of the role that connects, where the URL has one.
    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the name of the database, where the URL has one.
    pub(super) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Returns the file with the certificates that a server's has to be signed by, in place of those that this machine
    /// trusts.
    pub(super) fn root_certificate(&self) -> Option<&Path> {
        self.root_certificate.as_deref()
    }

    /// Returns the longest time that a connection to one address of a server may take.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }
}

impl fmt::Display for LedgerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// Shows the server as messages name it.
impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp(host) if host.contains(':') => write!(out, "[{host}]:{}", self.port),
            Host::Tcp(host) => write!(out, "{host}:{}", self.port),
            #[cfg(unix)]
            Host::Unix(directory) => {
                let socket = directory.join(format!(".s.PGSQL.{}", self.port));
                out.write_str(&visible_path(&socket))
            }
        }
    }
}

/// How much a URL asks to be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It says nothing, or leaves it to the server.
    Open,
    /// Not at all.
    Plain,
    /// By TLS, on this machine, too.
    Tls,
}

/// What stands behind the question mark.
struct Parameters {
    /// What the driver's parser reads.
    passed_on: Vec<String>,
    mode: Mode,
    root_certificate: Option<PathBuf>,
    connect_timeout: Option<Duration>,
}

impl Parameters {
    fn read(text: &str) -> Result<Self, LedgerUrlError> {
        let mut read =
            Self { passed_on: Vec::new(), mode: Mode::Open, root_certificate: None, connect_timeout: None };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(LedgerUrlError::NoUrl)?;
            match key {
                // The driver would take several servers for one name.
                "host" => read.passed_on.extend(value.split(',').map(|host| format!("host={host}"))),
                "port" | "dbname" | "user" => read.passed_on.push(pair.to_owned()),
                "sslmode" => read.mode = mode(value)?,
                "sslrootcert" => read.root_certificate = Some(decoded(value, "sslrootcert")?.into()),
                "connect_timeout" => read.connect_timeout = Some(seconds(value)?),
                _ if key.contains("password") => return Err(LedgerUrlError::Password),
                _ => return Err(LedgerUrlError::Parameter(visible(key).into_owned())),
            }
        }
        Ok(read)
    }
}

/// Reads PostgreSQL's word for how much is protected. Whatever asks for TLS gets the certificate checked as well.
fn mode(value: &str) -> Result<Mode, LedgerUrlError> {
    match value {
        "disable" => Ok(Mode::Plain),
        "allow" | "prefer" => Ok(Mode::Open),
        "require" | "verify-ca" | "verify-full" => Ok(Mode::Tls),
        _ => Err(LedgerUrlError::Value("sslmode")),
    }
}

fn decoded(value: &str, of: &'static str) -> Result<String, LedgerUrlError> {
    let text = percent_decode_str(value).decode_utf8().map_err(|_| LedgerUrlError::Value(of))?;
    Some(text.into_owned()).filter(|text| !text.is_empty()).ok_or(LedgerUrlError::Value(of))
}

fn seconds(value: &str) -> Result<Duration, LedgerUrlError> {
    let seconds = value.parse().ok().filter(|seconds| (1..=600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or(LedgerUrlError::Value("connect_timeout"))
}

/// Returns the servers, each with how a connection to it is protected.
fn servers(config: &Config, mode: Mode) -> Result<Vec<Server>, LedgerUrlError> {
    let (hosts, ports) = (config.get_hosts(), config.get_ports());
    if hosts.is_empty() {
        return Err(LedgerUrlError::NoServer);
    }
    // As many ports as servers, or one for all of them, or none.
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err(LedgerUrlError::Value("port"));
    }
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(PORT);
    let server = |(at, host): (usize, &ParsedHost)| {
        let host = match host {
            ParsedHost::Tcp(name) if name.is_empty() || name.contains('@') => {
                return Err(LedgerUrlError::NoServer);
            }
            ParsedHost::Tcp(name) => Host::Tcp(name.clone()),
            #[cfg(unix)]
            ParsedHost::Unix(directory) => Host::Unix(directory.clone()),
        };
        Ok(Server { protection: protection(&host, mode)?, host, port: port(at) })
    };
    hosts.iter().enumerate().map(server).collect()
}

/// Decides how a connection is protected. Only one that stays on this machine may do without TLS.
fn protection(host: &Host, mode: Mode) -> Result<Protection, LedgerUrlError> {
    match (host, mode) {
        // PostgreSQL has no TLS on its sockets: whoever is at the other end owns the directory.
        #[cfg(unix)]
        (Host::Unix(_), _) => Ok(Protection::Local),
        (Host::Tcp(_), Mode::Tls) => Ok(Protection::Tls),
        (Host::Tcp(name), Mode::Open | Mode::Plain) if is_this_machine(name) => Ok(Protection::Local),
        (Host::Tcp(_), Mode::Open) => Ok(Protection::Tls),
        (Host::Tcp(_), Mode::Plain) => Err(LedgerUrlError::Plain),
    }
}

/// Whether a name is this machine's own, wherever names are resolved.
fn is_this_machine(name: &str) -> bool {
    let address: Option<IpAddr> = name.parse().ok();
    address.map_or(name == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a URL: servers with their protection, user and database.
    fn read(text: &str) -> Result<String, String> {
        let url = LedgerUrl::parse(text).map_err(|error| error.to_string())?;
        let server = |server: &Server| match server.protection {
            Protection::Tls => format!("{server} by TLS"),
            Protection::Local => format!("{server} here"),
        };
        let servers: Vec<String> = url.servers.iter().map(server).collect();
        let named = [url.user.as_deref(), url.database.as_deref()].map(|name| name.unwrap_or("-"));
        Ok(format!("{}; {}", servers.join(", "), named.join(" ")))
    }

    #[test]
    fn a_url_is_what_postgresqls_programs_take() {
        for (url, wanted) in [
            ("postgres://ada@db.example/referrals", "db.example:5432 by TLS; ada referrals"),
            ("postgresql://db.example:6432", "db.example:6432 by TLS; - -"),
            ("postgres://a%40b@db.example/x%2fy", "db.example:5432 by TLS; a@b x/y"),
            ("postgres://[2001:db8::1]:6432/r", "[2001:db8::1]:6432 by TLS; - r"),
            (
                "postgres://one.example,two.example:6432/r",
                "one.example:5432 by TLS, two.example:6432 by TLS; - r",
            ),
            (
                "postgres:///r?host=one.example,localhost&port=6432",
                "one.example:6432 by TLS, localhost:6432 here; - r",
            ),
            ("postgres://%2Frun%2Fpg/r?user=ada", "/run/pg/.s.PGSQL.5432 here; ada r"),
            ("postgres:///r?host=/run/pg&port=6543", "/run/pg/.s.PGSQL.6543 here; - r"),
            ("postgres://localhost/r", "localhost:5432 here; - r"),
        ] {
            assert_eq!(read(url).as_deref(), Ok(wanted), "{url}");
        }
    }

    #[test]
    fn only_what_stays_on_this_machine_may_be_unencrypted() {
        let plain = Err(LedgerUrlError::Plain);
        for (host, mode, wanted) in [
            ("localhost", "", Ok(Protection::Local)),
            ("127.0.0.1", "", Ok(Protection::Local)),
            ("127.8.8.8", "prefer", Ok(Protection::Local)),
            ("[::1]", "disable", Ok(Protection::Local)),
            ("localhost", "require", Ok(Protection::Tls)),
            ("127.0.0.1", "verify-full", Ok(Protection::Tls)),
            ("db.example", "", Ok(Protection::Tls)),
            ("db.example", "allow", Ok(Protection::Tls)),
            ("db.example", "prefer", Ok(Protection::Tls)),
            ("db.example", "require", Ok(Protection::Tls)),
            ("db.example", "verify-ca", Ok(Protection::Tls)),
            ("db.example", "disable", plain.clone()),
            ("10.0.0.1", "disable", plain.clone()),
            ("10.0.0.1", "", Ok(Protection::Tls)),
            ("0.0.0.0", "disable", plain.clone()),
            ("localhost.example", "disable", plain.clone()),
            ("localhost,db.example", "disable", plain),
            ("%2Frun%2Fpg", "require", Ok(Protection::Local)),
        ] {
            let mode = if mode.is_empty() { String::new() } else { format!("?sslmode={mode}") };
            let url = format!("postgres://ada@{host}/r{mode}");
            let found = LedgerUrl::parse(&url).map(|url| url.servers[0].protection);
            assert_eq!(found, wanted, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_ledger_is_refused_without_repeating_it() {
        const NO_URL: &str = "this is no URL of a PostgreSQL database";
        const PASSWORD: &str = "this holds a password";
        for (url, wanted) in [
            ("", NO_URL),
            ("mysql://S3CRET", NO_URL),
            ("host=db.example password=S3CRET", NO_URL),
            ("postgres://ada:S3CRET@db.example/r", PASSWORD),
            ("postgres://ada:S3C@RET/S3CRET?@db.example/r", PASSWORD),
            ("postgres://:S3CRET@db.example/r", PASSWORD),
            ("postgres://ada:@db.example/r", PASSWORD),
            ("postgres://ada:S3?CRET@db.example/r", PASSWORD),
            ("postgres://ada@db.example/r?password=S3CRET", PASSWORD),
            ("postgres://ada@db.example/r?sslpassword=S3CRET", PASSWORD),
            ("postgres:///r", "this names no server"),
            ("postgres://ada@/r", "this names no server"),
            ("postgres://db.example:S3CRET/r", NO_URL),
            ("postgres://db.example/r?sslmode", NO_URL),
            ("postgres://db.example/r?sslmode=S3CRET", "the value of \"sslmode\" is not understood"),
            ("postgres://db.example/r?connect_timeout=0", "the value of \"connect_timeout\""),
            ("postgres://db.example/r?sslrootcert=", "the value of \"sslrootcert\""),
            ("postgres://localhost/r?hostaddr=10.0.0.1", "the parameter \"hostaddr\" is not taken"),
            ("postgres://db.example/r?options=-c%20x", "the parameter \"options\" is not taken"),
            ("postgres://db.example/r?target_session_attrs=any", "the parameter \"target_session_attrs\""),
        ] {
            let told = read(url).unwrap_err();
            assert!(told.starts_with(wanted), "{url}: {told}");
            assert!(!told.contains("S3C") && !told.contains("RET"), "{url}: {told}");
        }
    }
}
