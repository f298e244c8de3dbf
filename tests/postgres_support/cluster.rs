//! A PostgreSQL server of the tests' own, with nothing of the machine's: its files lie in a directory that is removed
//! at the end, it listens at a socket there and at a free port of 127.0.0.1, and its certificate is made for it.
//!
//! A shell watches over it, which waits for the end of its standard input. That ends with whoever holds the
//! [`Cluster`], or with the process of the tests, however that comes to its end: then the server is stopped and its
//! directory removed.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::program::start;
use crate::support::waiting::until;

/// The password of every role that the tests make.
pub const PASSWORD: &str = "s3cret-p4ssword";

/// Runs the server, and waits for the end of standard input: the process itself stays the shell's child.
const WATCH: &str = "
    as=$1 bin=$2 dir=$3
    $as \"$bin/postgres\" -D \"$dir/data\" </dev/null >>\"$dir/log\" 2>&1 &
    read -r _
    kill -INT $!
    wait $!
    rm -rf \"$dir\"
";

/// What the server is told, behind its own defaults. What it writes need not outlive the machine.
const SETTINGS: &str = "
    listen_addresses = '127.0.0.1'
    fsync = off
    ssl = on
    ssl_cert_file = '../server.pem'
    ssl_key_file = '../server.key'
    password_encryption = 'scram-sha-256'
";

/// Who is let in: the administrator at the socket, everybody else with a password.
const WHO: &str = "
    local all postgres trust
    local all all scram-sha-256
    host all all 127.0.0.1/32 scram-sha-256
";

/// A server, stopped when it is dropped.
pub struct Cluster {
    watcher: Child,
    directory: PathBuf,
    programs: PathBuf,
    port: u16,
}

/// A database of a server.
pub struct Database<'a> {
    cluster: &'a Cluster,
    pub name: String,
}

/// The one that all tests of a process share, each with a database of its own.
pub fn shared() -> &'static Cluster {
    static SHARED: LazyLock<Cluster> = LazyLock::new(Cluster::start);
    &SHARED
}

impl Cluster {
    /// Makes one and starts it.
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("postgres").tempdir().unwrap().keep();
        let (programs, port) = (programs(), free_port());
        let as_user = as_user(&directory);
        certificates(&directory);
        let data = directory.join("data");
        let mut initdb = Command::new("env");
        initdb.args(as_user.split_whitespace()).arg(programs.join("initdb"));
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-k", "--no-sync", "-D"]);
        ran(initdb.arg(&data));
        let settings = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        let socket = format!("unix_socket_directories = '{}'\nport = {port}\n", directory.display());
        fs::write(data.join("postgresql.conf"), settings + SETTINGS + &socket).unwrap();
        fs::write(data.join("pg_hba.conf"), WHO).unwrap();
        let mut watcher = Command::new("sh");
        watcher.args(["-c", WATCH, "watch", &as_user]).args([&programs, &directory]);
        watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let cluster = Self { watcher: start(&mut watcher), directory, programs, port };
        until("the server", || {
            assert!(!cluster.log().contains("FATAL:  could not"), "{}", cluster.log());
            cluster.is_ready().then_some(())
        });
        cluster
    }

    fn is_ready(&self) -> bool {
        let mut asked = Command::new(self.programs.join("pg_isready"));
        asked.args(["-q", "-p", &self.port.to_string(), "-h"]).arg(&self.directory);
        asked.status().unwrap().success()
    }

    /// A new database, and a role of the same name that owns it.
    pub fn database(&self) -> Database<'_> {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let all = Database { cluster: self, name: "postgres".to_owned() };
        all.sql(&format!("CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{PASSWORD}'"));
        all.sql(&format!("CREATE DATABASE {name} OWNER {name}"));
        Database { cluster: self, name }
    }

    /// The certificate of the authority that signed the server's, which is for `localhost` alone.
    pub fn authority(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// One that signed nothing.
    pub fn other_authority(&self) -> PathBuf {
        self.directory.join("other.pem")
    }

    /// The port at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the socket.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// All that the server wrote into its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        // The test is over, whatever comes of that.
        let _ = self.watcher.wait();
    }
}

impl Database<'_> {
    /// Its URL for the role that owns it, at a host, with a question mark and parameters or without.
    pub fn url_at(&self, host: &str, parameters: &str) -> String {
        let (name, port) = (&self.name, self.cluster.port);
        format!("postgres://{name}@{host}:{port}/{name}{parameters}")
    }

    /// Its URL for the role that owns it.
    pub fn url(&self) -> String {
        self.url_as(&self.name)
    }

    /// Its URL for another role.
    pub fn url_as(&self, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{}", self.cluster.port, self.name)
    }

    /// Makes a role that is in these groups, if any.
    pub fn role(&self, name: &str, groups: &str) -> String {
        let role = format!("{}_{name}", self.name);
        self.sql(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
        if !groups.is_empty() {
            self.sql(&format!("GRANT {groups} TO {role}"));
        }
        role
    }

    /// What an administrator's SQL returns: a row a line, columns with a bar between.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.tried(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"))
    }

    /// The same, or the server's error.
    pub fn tried(&self, sql: &str) -> Result<String, String> {
        let mut psql = Command::new(self.cluster.programs.join("psql"));
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", &self.name, "-h"]);
        psql.arg(&self.cluster.directory).args(["-p", &self.cluster.port.to_string(), "-c", sql]);
        psql.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = start(&mut psql).wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// Where PostgreSQL's programs are. Debian has those of each version in a folder of its own, which is in no path.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.unwrap().path()).filter(|path| path.join("bin/initdb").exists());
    if let Some(newest) = newest.max_by_key(version) {
        return newest.join("bin");
    }
    let mut asked = Command::new("pg_config");
    let output = asked.arg("--bindir").output().expect("PostgreSQL is installed, which these tests need");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// How a program is started as the user that the server runs as. PostgreSQL refuses to run as the system's own, so that
/// it is somebody else's then, and so is the directory.
fn as_user(directory: &Path) -> String {
    if fs::metadata(directory).unwrap().uid() != 0 {
        return String::new();
    }
    let number = |of: &str, name: &str| {
        let output = Command::new("id").args([of, name]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().ok()
    };
    let numbers = |name: &str| Some((number("-u", name)?, number("-g", name)?));
    let (user, group) = ["postgres", "nobody"].into_iter().find_map(numbers).unwrap();
    chown(directory, Some(user), Some(group)).unwrap();
    fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    format!("setpriv --reuid={user} --regid={group} --clear-groups")
}

/// A port that nothing listens at.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Makes an authority, a certificate of `localhost` that it signed, and an authority that signed nothing.
fn certificates(directory: &Path) {
    const KEY: [&str; 6] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days"];
    let openssl = |arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        ran(openssl.args(arguments).current_dir(directory));
    };
    let request = |name: &str, more: &[&str]| {
        let (subject, key, out) = (format!("/CN={name}"), format!("{name}.key"), format!("{name}.pem"));
        let named = ["req", "-subj", &subject, "-keyout", &key, "-out", &out];
        openssl(&[&named[..], &KEY, &["2"], more].concat());
    };
    request("authority", &["-x509"]);
    request("other", &["-x509"]);
    request("server", &[]);
    fs::write(directory.join("extensions"), "subjectAltName=DNS:localhost\n").unwrap();
    fs::rename(directory.join("server.pem"), directory.join("server.csr")).unwrap();
    let signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2"];
    let files = ["x509", "-req", "-in", "server.csr", "-extfile", "extensions", "-out", "server.pem"];
    openssl(&[&files[..], &signed].concat());
    let owner = fs::metadata(directory).unwrap();
    let key = directory.join("server.key");
    chown(&key, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
}

/// Runs a program to its end, which has to be a good one.
fn ran(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = start(command).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{said}", String::from_utf8_lossy(&output.stdout));
}
