//! A service with a hidden quota, in virtual time, and the real pace against it; who is to blame for a
//! refusal is asked as the engine asks it.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use referral_bulk::domain::exchange::Operation;
use referral_bulk::domain::referral::ReferralId;
use referral_bulk::pace::blame::{RequestSubject, ThrottleScope};
use referral_bulk::pace::retry::{MAX_TRIES, back_off};
use referral_bulk::pace::{Pace, Pacing};
use tokio::time::{Instant, sleep};

/// How a service counts.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A bucket of tokens, which holds so many.
    Bucket(f64),
    /// The same, and what is refused is told 503 and nothing more, as by nginx.
    Nginx(f64),
    /// So many seconds before each request.
    Sliding(u32),
    /// The same, and requests that were turned away count too.
    SlidingStrict(u32),
    /// So many seconds, one after another.
    Fixed(u32),
}

/// A service, and a run against it.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Requests a second.
    pub quota: f64,
    pub kind: Kind,
    pub concurrency: usize,
    /// From the request to its answer, in milliseconds, a tenth more or less on either way.
    pub latency: f64,
    /// Seconds after which the quota is another share of what it was.
    pub changes: &'static [(u64, f64)],
    /// Seconds until the rate should be found, and seconds that are measured from then on.
    pub seconds: (u64, u64),
    /// The least share of the quota that is used, and the largest share of requests that is throttled,
    /// in percent.
    pub wanted: (f64, f64),
}

/// What was asked of the project: 95 % of a constant quota, 1 % of the requests.
const WANTED: (f64, f64) = (95.0, 1.0);

const STEADY: Scenario = Scenario {
    quota: 1.0,
    kind: Kind::Sliding(1),
    concurrency: 4,
    latency: 100.0,
    changes: &[],
    seconds: (300, 1800),
    wanted: WANTED,
};

/// From 20 requests a second to 10 and back, after a quarter of an hour each.
const HALVING: Scenario =
    Scenario { quota: 20.0, changes: &[(900, 0.5), (1800, 1.0)], seconds: (300, 2400), ..STEADY };

/// Quotas that count over a minute take longer to be found.
const MINUTE: Scenario =
    Scenario { quota: 100.0 / 60.0, kind: Kind::Sliding(60), seconds: (900, 7200), ..STEADY };

/// Many at a time, each of which takes its time.
const MANY: Scenario = Scenario { concurrency: 32, latency: 400.0, ..STEADY };

pub const SCENARIOS: [Scenario; 22] = [
    STEADY,
    Scenario { quota: 5.0, ..STEADY },
    Scenario { quota: 20.0, ..STEADY },
    Scenario { quota: 20.0, kind: Kind::SlidingStrict(1), ..STEADY },
    Scenario { quota: 200.0, concurrency: 32, seconds: (300, 600), ..STEADY },
    // What comes up to 40 ms closer than it was sent costs 4 % of a window of a second.
    Scenario { quota: 20.0, wanted: (92.0, 1.0), ..MANY },
    MINUTE,
    Scenario { kind: Kind::SlidingStrict(60), ..MINUTE },
    Scenario { concurrency: 32, latency: 400.0, ..MINUTE },
    Scenario { quota: 10.0, kind: Kind::Fixed(1), ..STEADY },
    Scenario { kind: Kind::Fixed(60), ..MINUTE },
    Scenario { quota: 10.0, kind: Kind::Fixed(60), concurrency: 32, latency: 400.0, ..MINUTE },
    Scenario { quota: 10.0, kind: Kind::Bucket(10.0), ..STEADY },
    Scenario { quota: 10.0, kind: Kind::Bucket(100.0), ..STEADY },
    Scenario { quota: 20.0, kind: Kind::Bucket(200.0), ..MANY },
    // As with `limit_req rate=10r/s burst=5 nodelay`.
    Scenario { quota: 10.0, kind: Kind::Nginx(6.0), ..STEADY },
    Scenario { quota: 10.0, kind: Kind::Nginx(6.0), concurrency: 32, latency: 400.0, ..STEADY },
    // Two requests are to come 50 ms apart, and come up to 10 ms closer: a sixth of the quota is lost.
    Scenario { quota: 20.0, kind: Kind::Bucket(1.0), wanted: (75.0, 1.0), ..STEADY },
    // It takes a minute or two to follow, and those count too.
    Scenario { wanted: (92.0, 1.0), ..HALVING },
    Scenario { kind: Kind::Bucket(20.0), ..HALVING },
    Scenario { kind: Kind::Fixed(1), wanted: (92.0, 1.0), ..HALVING },
    Scenario { kind: Kind::Fixed(60), changes: &[(2700, 0.5), (5400, 1.0)], ..MINUTE },
];

/// What came of it, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Of the quota that was used.
    pub used: f64,
    /// Of the requests that were throttled.
    pub throttled: f64,
    /// Referrals that were given up, as if the throttle were theirs.
    pub given_up: u64,
}

/// All scenarios, as many at a time as there are processors.
pub fn run_all() -> Vec<(Scenario, Shares)> {
    let left = Mutex::new(SCENARIOS.iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                while let Some((number, scenario)) = { left.lock().unwrap().next() } {
                    let shares = run(*scenario);
                    done.lock().unwrap().push((number, *scenario, shares));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(number, ..)| *number);
    done.into_iter().map(|(_, scenario, shares)| (scenario, shares)).collect()
}

/// Those that reach less than they should.
pub fn missed(runs: &[(Scenario, Shares)]) -> Vec<&(Scenario, Shares)> {
    let missed = |(scenario, shares): &&(Scenario, Shares)| {
        let (least, most) = scenario.wanted;
        shares.used < least || shares.throttled > most || shares.given_up > 0
    };
    runs.iter().filter(missed).collect()
}

/// The table that docs/running.md shows.
pub fn table(runs: &[(Scenario, Shares)]) -> String {
    let mut table =
        "| quota | counted by | in flight | used | throttled |\n|---|---|---|---:|---:|\n".to_owned();
    for (scenario, Shares { used, throttled, .. }) in runs {
        let Scenario { concurrency, latency, .. } = scenario;
        writeln!(
            table,
            "| {} | {} | {concurrency} × {latency} ms | {used:.1} % | {throttled:.2} % |",
            scenario.quota(),
            scenario.counted()
        )
        .unwrap();
    }
    table
}

impl Scenario {
    fn quota(&self) -> String {
        let whole = match self.kind {
            Kind::Fixed(60) | Kind::Sliding(60) | Kind::SlidingStrict(60) => {
                format!("{:.0} a minute", self.quota * 60.0)
            }
            _ => format!("{} a second", self.quota),
        };
        if self.changes.is_empty() { whole } else { format!("{whole}, halves and recovers") }
    }

    fn counted(&self) -> String {
        match self.kind {
            Kind::Bucket(1.0) => "a bucket of 1 token".to_owned(),
            Kind::Bucket(tokens) => format!("a bucket of {tokens} tokens"),
            Kind::Nginx(tokens) => format!("a bucket of {tokens} tokens, refused with 503"),
            Kind::Sliding(_) => "a sliding window".to_owned(),
            Kind::SlidingStrict(_) => "a sliding window, refusals too".to_owned(),
            Kind::Fixed(_) => "a fixed window".to_owned(),
        }
    }

    /// What may be asked for so long after the beginning.
    fn quota_at(&self, time: Duration) -> f64 {
        let past = self.changes.iter().rfind(|(second, _)| time >= Duration::from_secs(*second));
        self.quota * past.map_or(1.0, |(_, share)| *share)
    }

    /// All that the quota granted while it was measured.
    fn granted(&self) -> f64 {
        let (from, seconds) = self.seconds;
        (from..from + seconds).map(|second| self.quota_at(Duration::from_secs(second))).sum()
    }
}

/// The service.
struct Service {
    scenario: Scenario,
    begun: Instant,
    tokens: f64,
    last: Duration,
    arrivals: VecDeque<Duration>,
    window: u64,
    chance: u64,
    let_through: u64,
    throttled: u64,
    given_up: u64,
    referrals: u64,
}

impl Service {
    fn new(scenario: Scenario) -> Self {
        let tokens =
            if let Kind::Bucket(tokens) | Kind::Nginx(tokens) = scenario.kind { tokens } else { 0.0 };
        let (last, arrivals) = (Duration::ZERO, VecDeque::new());
        let begun = Instant::now();
        Self {
            scenario,
            begun,
            tokens,
            last,
            arrivals,
            window: 0,
            chance: 1,
            let_through: 0,
            throttled: 0,
            given_up: 0,
            referrals: 0,
        }
    }

    /// The way to the service, or back: half the latency, a tenth more or less.
    fn way(&mut self) -> Duration {
        // Of Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let share = f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / f64::from(u32::MAX);
        Duration::from_secs_f64(self.scenario.latency / 2000.0 * (0.9 + 0.2 * share))
    }

    /// A referral that nothing was asked for so far.
    fn next(&mut self) -> ReferralId {
        self.referrals += 1;
        format!("5a1e0001-0000-4000-8000-{:012}", self.referrals).parse().unwrap()
    }

    /// A request comes. Where it is one too many: the whole seconds to wait, where that is told.
    fn enter(&mut self) -> Result<(), Option<Duration>> {
        let now = self.begun.elapsed();
        let quota = self.scenario.quota_at(now);
        let answer = match self.scenario.kind {
            Kind::Bucket(most) | Kind::Nginx(most) => self.take_token(now, quota, most),
            Kind::Sliding(seconds) => self.slide(now, quota, seconds, false),
            Kind::SlidingStrict(seconds) => self.slide(now, quota, seconds, true),
            Kind::Fixed(seconds) => self.count(now, quota, seconds),
        };
        if now.as_secs() >= self.scenario.seconds.0 {
            match answer {
                Ok(()) => self.let_through += 1,
                Err(_) => self.throttled += 1,
            }
        }
        let is_told = !matches!(self.scenario.kind, Kind::Nginx(_));
        answer.map_err(|wait| is_told.then(|| Duration::from_secs_f64(wait.as_secs_f64().ceil().max(1.0))))
    }

    fn take_token(&mut self, now: Duration, quota: f64, most: f64) -> Result<(), Duration> {
        self.tokens = (self.tokens + (now - self.last).as_secs_f64() * quota).min(most);
        self.last = now;
        if self.tokens < 1.0 - 1e-9 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / quota));
        }
        self.tokens -= 1.0;
        Ok(())
    }

    fn slide(&mut self, now: Duration, quota: f64, seconds: u32, strict: bool) -> Result<(), Duration> {
        let span = Duration::from_secs(seconds.into());
        while self.arrivals.front().is_some_and(|at| *at + span <= now) {
            self.arrivals.pop_front();
        }
        let most = (quota * f64::from(seconds)).round() as usize;
        let full = self.arrivals.len() >= most;
        if strict || !full {
            self.arrivals.push_back(now);
        }
        if !full {
            return Ok(());
        }
        // As many as are too many must be gone, and one more.
        let next = self.arrivals[self.arrivals.len() - most];
        Err((next + span).saturating_sub(now))
    }

    fn count(&mut self, now: Duration, quota: f64, seconds: u32) -> Result<(), Duration> {
        let window = now.as_secs() / u64::from(seconds);
        if window != self.window {
            self.window = window;
            self.arrivals.clear();
        }
        if self.arrivals.len() < (quota * f64::from(seconds)).round() as usize {
            self.arrivals.push_back(now);
            return Ok(());
        }
        Err(Duration::from_secs((window + 1) * u64::from(seconds)) - now)
    }
}

/// One run, from the start rate on.
pub fn run(scenario: Scenario) -> Shares {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let service = Arc::new(Mutex::new(Service::new(scenario)));
        let pace = Arc::new(Pace::new(Pacing::Auto));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..scenario.concurrency {
            workers.spawn(work(Arc::clone(&pace), Arc::clone(&service)));
        }
        let (found, measured) = scenario.seconds;
        sleep(Duration::from_secs(found + measured)).await;
        workers.shutdown().await;
        let service = service.lock().unwrap();
        let (let_through, throttled) = (service.let_through as f64, service.throttled as f64);
        Shares {
            used: let_through / scenario.granted() * 100.0,
            throttled: throttled / (let_through + throttled) * 100.0,
            given_up: service.given_up,
        }
    })
}

/// Asks for one referral after another, for each until it is let through. A refusal costs a try where it is
/// the referral's own.
async fn work(pace: Arc<Pace>, service: Arc<Mutex<Service>>) {
    let mut about = RequestSubject { referral: None, operation: Operation::Write };
    let mut tries = 0;
    loop {
        let id = *about.referral.get_or_insert_with(|| service.lock().unwrap().next());
        let turn = pace.turn().await;
        let left = pace.blame().record_sent();
        let way = service.lock().unwrap().way();
        sleep(way).await;
        let (answer, way) = {
            let mut service = service.lock().unwrap();
            (service.enter(), service.way())
        };
        sleep(way).await;
        let wait = match answer {
            Ok(()) => {
                pace.answered(turn);
                pace.blame().let_through(about, left);
                (about.referral, tries) = (None, 0);
                continue;
            }
            Err(wait) => wait,
        };
        let is_throttle = wait.is_some() || pace.blame().is_load(Some(id), left);
        if is_throttle && pace.blame().throttled(about) != ThrottleScope::Referral {
            pace.throttled(turn, wait);
            continue;
        }
        tries += 1;
        if tries == MAX_TRIES {
            service.lock().unwrap().given_up += 1;
            (about.referral, tries) = (None, 0);
            continue;
        }
        sleep(wait.unwrap_or_else(|| back_off(tries))).await;
    }
}
