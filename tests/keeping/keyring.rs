//! The secret service of a desktop, in a session of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::desk::Desk;
use crate::support::program::start;
use crate::support::waiting::until;

/// The bus of a session, and the keyring on it, until its test ends.
struct Session {
    address: String,
    bus: Child,
    keyring: Option<Child>,
    home: String,
}

impl Session {
    /// A session without a keyring.
    fn of(desk: &Desk) -> Self {
        let home = desk.place.path("home").to_str().unwrap().to_owned();
        fs::create_dir_all(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        // The keyring of whoever runs this test is never started.
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={home}/bus</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
             <allow own=\"*\"/></policy></busconfig>"
        );
        desk.place.write("bus.conf", config);
        let file = format!("--config-file={}", desk.place.path("bus.conf").display());
        let mut command = Command::new("dbus-daemon");
        let mut bus = start(command.args([&file, "--nofork", "--print-address"]).stdout(Stdio::piped()));
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), bus, keyring: None, home }
    }

    /// What programs of the session have in their environment.
    fn variables(&self) -> [(&'static str, String); 3] {
        let home = || self.home.clone();
        [("DBUS_SESSION_BUS_ADDRESS", self.address.clone()), ("HOME", home()), ("XDG_RUNTIME_DIR", home())]
    }

    /// Starts a keyring, and unlocks it with a password where one is given.
    fn start_keyring(&mut self, password: Option<&str>) {
        self.stop_keyring();
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]).env_clear().envs(self.variables());
        command.args(password.map(|_| "--unlock")).env("PATH", std::env::var_os("PATH").unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = start(&mut command);
        keyring.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        self.keyring = Some(keyring);
        until("the keyring on the bus", || self.has_keyring().then_some(()));
    }

    fn stop_keyring(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().unwrap();
            keyring.wait().unwrap();
            until("the end of the keyring", || (!self.has_keyring()).then_some(()));
        }
    }

    fn has_keyring(&self) -> bool {
        let mut command = Command::new("dbus-send");
        command.args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.NameHasOwner",
            "string:org.freedesktop.secrets",
        ]);
        let mut asked = start(command.envs(self.variables()).stdout(Stdio::piped()));
        let told = std::io::read_to_string(asked.stdout.take().unwrap()).unwrap();
        asked.wait().unwrap();
        told.contains("boolean true")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in self.keyring.iter_mut().chain([&mut self.bus]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
#[ignore = "needs gnome-keyring and D-Bus, which .ci/run installs"]
fn a_sign_in_lies_in_the_keyring_of_the_desktop() {
    let mut desk = Desk::new("auto");
    let mut session = Session::of(&desk);
    desk.variables.extend(session.variables());

    // Nobody offers a keyring: the sign-in lies in a file, and that is said.
    let told = desk.login().stderr;
    assert!(
        told.contains("will be kept in a file that you alone can read: this system has no keyring"),
        "{told}"
    );
    assert!(desk.file(".token").is_some());

    // The next sign-in finds one, and the file goes.
    session.start_keyring(Some("the password"));
    let told = desk.login().stderr;
    assert!(told.contains("kept in the system's keyring"), "{told}");
    assert_eq!((desk.file(".token"), desk.with_tokens()), (None, vec![]), "it is encrypted there");
    for _ in 0..3 {
        desk.run("check").expect(0);
    }
    assert_eq!(desk.authority.look(|state| (state.issued, state.is_revoked)), (5, false));
    let status = desk.run("login --status").expect(0).stdout;
    assert!(status.contains("the system's keyring"), "{status}");

    // After a new start it is locked, and nobody is there to unlock it.
    session.start_keyring(None);
    let told = desk.run("check").expect(1);
    let all = format!("{}{}", told.stdout, told.stderr);
    assert!(all.contains("the system's keyring is locked"), "{all}");
    assert_eq!(desk.authority.look(|state| state.issued), 5);
    let told = desk.run("login --device-code --store keyring").expect(1);
    assert!(told.stderr.contains("the system's keyring is locked"), "{}", told.stderr);
    assert_eq!(desk.authority.look(|state| state.issued), 5, "nobody was asked to sign in");
    let status = desk.run("login --status").expect(1).stdout;
    assert!(status.contains("keyring, which can't be read: the system's keyring is locked"), "{status}");
    for (line, again) in
        [("logout", "referral-bulk logout\n"), ("logout --all", "referral-bulk logout --all\n")]
    {
        let told = desk.run(line).expect(1).stderr;
        assert!(told.contains("may lie in the keyring, and the system's keyring is locked"), "{told}");
        assert!(told.contains(&format!("hint: unlock the keyring, then: {again}")), "{told}");
        assert!(!told.contains("gone already") && desk.file(".json").is_some(), "{told}");
    }

    // And unlocked it has what it had.
    session.start_keyring(Some("the password"));
    desk.run("check").expect(0);
    let told = desk.run("logout").expect(0).stderr;
    assert!(told.contains("its refresh token is removed from the system's keyring"), "{told}");
    desk.run("check").expect(1);
    assert_eq!(desk.authority.look(|state| (state.issued, state.is_revoked)), (6, false));
}
