//! Behind a real nginx that limits: by rate and by number at a time, with the 503 that it says unless it is
//! told otherwise. Needs `nginx` on the path; `.ci/run` sees to it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "the figures are of interest also where they are good")]

mod support;

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::place::Place;
use support::referrals::{id, referral};
use support::sandbox::Sandbox;
use support::waiting::{each, until};

const ROWS: usize = 400;

/// Seconds in which the limit is found. What is refused then doesn't count.
const START: f64 = 15.0;

/// How it limits; what else is asked of the run; how long the service takes for a request, in milliseconds.
const CASES: [(&str, &str, u64); 7] = [
    (RATE, "--rate auto", 0),
    (RATE_SAYS_SO, "--rate auto", 0),
    (RATE, "--rate 50/s", 0),
    (RATE, "--rate 200/s", 0),
    (RATE, "--rate 200/s --concurrency 1", 0),
    (NUMBER, "--rate 50/s --concurrency 8", 100),
    (NUMBER, "--rate auto --concurrency 8", 100),
];

const RATE: &str = "limit_req zone=rate burst=5 nodelay;";
const RATE_SAYS_SO: &str = "limit_req zone=rate burst=5 nodelay; limit_req_status 429;";
const NUMBER: &str = "limit_conn number 2;";

#[test]
#[ignore = "needs nginx"]
fn every_row_is_applied_and_few_requests_are_refused() {
    let wrong: Vec<String> = each(&CASES, check).into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check((limit, more, takes): &(&str, &str, u64)) -> Option<String> {
    let home = Place::new();
    let seed: Vec<Value> = (0..ROWS).map(|number| referral(number, "Active", "Accepted")).collect();
    let rows =
        (0..ROWS).map(|number| format!("{}\n", json!({ "id": id(number), "details": { "notes": "Ours" } })));
    home.write("changes.jsonl", rows.collect::<String>());
    let service = Sandbox::seeded(&home, &seed, &[format!("--fault=any#*=slow:{takes}")]);
    let nginx = Nginx::before(service.address(), limit, &home);
    let endpoint = format!("http://{}/v1.0", nginx.address);
    let line = format!("apply changes.jsonl --out run --yes --progress none --endpoint {endpoint} {more}");
    let ended = home.run(&line.split(' ').collect::<Vec<_>>());
    let requests = nginx.requests(&home);
    let (total, refused) = count(&requests, START);
    let share = refused as f64 / total as f64 * 100.0;
    let outcomes = home.run_of("run").outcomes();
    let told = format!("{limit} {more}: {outcomes}; {refused} of {total} refused, {share:.1} %");
    let (all, all_refused) = count(&requests, 0.0);
    let seconds = requests.last().unwrap().0;
    let per_second = (all - all_refused) as f64 / seconds;
    println!("{told}; with the start {all_refused} of {all}, {per_second:.2} a second let through");
    let is_well = ended.code == Some(0) && outcomes == format!("{ROWS} applied") && share <= 3.0;
    (!is_well).then(|| format!("{told}\n{}", ended.stderr))
}

/// How many requests there were after so many seconds, and how many of them were refused.
fn count(requests: &[(f64, String)], from: f64) -> (usize, usize) {
    let late = requests.iter().filter(|(at, _)| *at >= from);
    (late.clone().count(), late.filter(|(_, status)| ["429", "503"].contains(&status.as_str())).count())
}

/// A process of nginx, until it is dropped.
struct Nginx {
    child: Child,
    address: SocketAddr,
}

impl Nginx {
    /// Before a service, with a limit.
    fn before(service: SocketAddr, limit: &str, home: &Place) -> Self {
        // Free a moment ago.
        let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let folder = home.path("nginx");
        fs::create_dir(&folder).unwrap();
        let folder = folder.display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {folder}/{what};"))
            .concat();
        home.write(
            "nginx.conf",
            format!(
                "daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{ }}
                 http {{
                     {temporary}
                     log_format short '$msec $status';
                     access_log {folder}/access.log short;
                     limit_req_zone $binary_remote_addr zone=rate:1m rate=10r/s;
                     limit_conn_zone $binary_remote_addr zone=number:1m;
                     server {{
                         listen {address};
                         location / {{ {limit} proxy_pass http://{service}; }}
                     }}
                 }}"
            ),
        );
        let child = Command::new("nginx")
            .args(["-e", "stderr", "-c"])
            .arg(home.path("nginx.conf"))
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is on the path");
        until("nginx", || TcpStream::connect(address).ok());
        Self { child, address }
    }

    /// The requests: seconds after the first one, and how each was answered.
    fn requests(&self, home: &Place) -> Vec<(f64, String)> {
        let log = fs::read_to_string(home.path("nginx/access.log")).unwrap();
        let requests: Vec<(f64, String)> = log
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(time, status)| (time.parse().unwrap(), status.to_owned()))
            .collect();
        let begun = requests[0].0;
        requests.into_iter().map(|(time, status)| (time - begun, status)).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        use nix::sys::signal::{Signal, kill};
        use nix::unistd::Pid;
        // Its workers go with it, which they don't where it is killed.
        let _ = kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
