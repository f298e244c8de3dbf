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
    /// Nothing is refused, and requests are served one after another.
    Queue,
    /// Nothing is refused.
    Nothing,
}

/// How a refusal says how long to wait, where it says so.
#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// As long as it takes, in whole seconds.
    Right,
    /// So many seconds, whatever it takes.
    Always(u64),
    /// Not at all.
    Untold,
}

/// A service, and a run against it.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Requests a second.
    pub quota: f64,
    pub kind: Kind,
    pub told: Told,
    pub concurrency: usize,
    /// From the request to its answer, in milliseconds.
    pub latency: f64,
    /// By which share of it that may be more or less.
    pub spread: f64,
    /// Seconds after which the quota is another share of what it was.
    pub moves: &'static [(u64, f64)],
    /// What the latencies are drawn from, as if by chance.
    pub seed: u64,
    /// The number of changes that are measured from the first request on.
    pub changes: u64,
    /// Seconds after which the start is over, and seconds that are measured from then on.
    pub seconds: (u64, u64),
    pub wanted: Wanted,
}

/// The least share of the quota that is used, and the largest share of requests that is throttled, in percent:
/// with the start, and after it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub used: (f64, f64),
    pub throttled: (f64, f64),
}

/// What was asked of the project.
const WANTED: Wanted = Wanted { used: (85.0, 95.0), throttled: (3.0, 1.0) };

const STEADY: Scenario = Scenario {
    quota: 1.0,
    kind: Kind::Sliding(1),
    told: Told::Right,
    concurrency: 4,
    latency: 100.0,
    spread: 0.1,
    moves: &[],
    seed: 1,
    changes: 1200,
    seconds: (60, 1800),
    wanted: WANTED,
};

/// From 20 requests a second to 10 and back, after a quarter of an hour each.
const HALVING: Scenario =
    Scenario { quota: 20.0, moves: &[(900, 0.5), (1800, 1.0)], seconds: (60, 2640), ..STEADY };

/// Quotas that count over a minute take longer to be found.
const MINUTE: Scenario =
    Scenario { quota: 100.0 / 60.0, kind: Kind::Sliding(60), seconds: (300, 7200), ..STEADY };

/// Many at a time, each of which takes its time.
const MANY: Scenario = Scenario { concurrency: 32, latency: 400.0, ..STEADY };

/// As many changes as take half a minute.
const FORTY: Scenario =
    Scenario { quota: 40.0, kind: Kind::Bucket(10.0), latency: 50.0, seconds: (60, 300), ..STEADY };
const FAST: Scenario =
    Scenario { quota: 200.0, concurrency: 32, changes: 6000, seconds: (60, 120), ..STEADY };

const fn wanted(used: (f64, f64), throttled: (f64, f64)) -> Wanted {
    Wanted { used, throttled }
}

pub const SCENARIOS: &[Scenario] = &[
    STEADY,
    Scenario { quota: 5.0, ..STEADY },
    Scenario { quota: 20.0, ..STEADY },
    Scenario { quota: 20.0, kind: Kind::SlidingStrict(1), ..STEADY },
    Scenario { kind: Kind::Sliding(1), ..FORTY },
    Scenario { kind: Kind::Sliding(1), ..FAST },
    // What comes up to 40 ms closer than it was sent costs 4 % of a window of a second.
    Scenario { quota: 20.0, wanted: wanted((85.0, 92.0), (3.0, 1.0)), ..MANY },
    MINUTE,
    Scenario { kind: Kind::SlidingStrict(60), ..MINUTE },
    Scenario { concurrency: 32, latency: 400.0, ..MINUTE },
    Scenario { quota: 5.0, kind: Kind::Fixed(1), ..STEADY },
    Scenario { quota: 10.0, kind: Kind::Fixed(1), ..STEADY },
    Scenario { kind: Kind::Fixed(1), ..FORTY },
    Scenario { kind: Kind::Fixed(1), ..FAST },
    Scenario { kind: Kind::Fixed(60), ..MINUTE },
    Scenario { quota: 10.0, kind: Kind::Fixed(60), concurrency: 32, latency: 400.0, ..MINUTE },
    Scenario { quota: 5.0, kind: Kind::Bucket(10.0), ..STEADY },
    Scenario { quota: 10.0, kind: Kind::Bucket(10.0), ..STEADY },
    Scenario { quota: 10.0, kind: Kind::Bucket(100.0), ..STEADY },
    // What is in flight is throttled together, twice, and the first time those are all.
    Scenario { quota: 20.0, kind: Kind::Bucket(200.0), wanted: wanted((85.0, 95.0), (4.5, 1.0)), ..MANY },
    FORTY,
    Scenario { latency: 100.0, concurrency: 32, ..FORTY },
    Scenario { latency: 300.0, concurrency: 32, ..FORTY },
    // Each doubling waits for an answer, and what is in flight meanwhile is throttled together.
    Scenario { latency: 1000.0, concurrency: 64, wanted: wanted((81.0, 95.0), (3.3, 1.0)), ..FORTY },
    Scenario { kind: Kind::Bucket(50.0), ..FAST },
    // Its reserve is gone before the first throttle is heard of, so the limit is taken for less.
    Scenario { kind: Kind::Bucket(10.0), wanted: wanted((83.0, 95.0), (3.0, 1.0)), ..FAST },
    Scenario { kind: Kind::Bucket(10.0), ..MINUTE },
    Scenario { kind: Kind::Bucket(100.0), ..MINUTE },
    // As with `limit_req rate=10r/s burst=5 nodelay`.
    Scenario { quota: 10.0, kind: Kind::Nginx(6.0), ..STEADY },
    Scenario { quota: 10.0, kind: Kind::Nginx(6.0), concurrency: 32, latency: 400.0, ..STEADY },
    Scenario { quota: 10.0, kind: Kind::Bucket(6.0), told: Told::Untold, ..STEADY },
    Scenario { kind: Kind::Nginx(11.0), ..FORTY },
    // Two requests are to come 50 ms apart, and come up to 10 ms closer: a sixth of the quota is lost.
    Scenario { quota: 20.0, kind: Kind::Bucket(1.0), wanted: wanted((60.0, 75.0), (3.0, 1.0)), ..STEADY },
    // What the service says of the wait is missing, too long or too short.
    Scenario { told: Told::Untold, ..FORTY },
    Scenario { told: Told::Always(5), wanted: wanted((65.0, 95.0), (3.0, 1.0)), ..FORTY },
    Scenario { told: Told::Always(30), wanted: wanted((24.0, 75.0), (3.0, 1.0)), ..FORTY },
    Scenario { kind: Kind::Fixed(60), told: Told::Untold, ..MINUTE },
    Scenario { kind: Kind::Fixed(60), told: Told::Always(1), ..MINUTE },
    // Latency that varies by half.
    Scenario { spread: 0.5, ..FORTY },
    Scenario { spread: 0.5, kind: Kind::Sliding(1), ..FORTY },
    // It takes a minute or two to follow, and those count too.
    Scenario { wanted: wanted((85.0, 92.0), (3.0, 1.0)), ..HALVING },
    Scenario { kind: Kind::Bucket(20.0), ..HALVING },
    Scenario { kind: Kind::Fixed(1), wanted: wanted((85.0, 92.0), (3.0, 1.0)), ..HALVING },
    Scenario { kind: Kind::Fixed(60), moves: &[(2700, 0.5), (5400, 1.0)], ..MINUTE },
    // Everything is throttled for a minute, at the start and later.
    Scenario {
        moves: &[(10, 0.0), (70, 1.0)],
        seconds: (120, 300),
        wanted: wanted((65.0, 80.0), (3.0, 1.0)),
        ..FORTY
    },
    Scenario { moves: &[(300, 0.0), (360, 1.0)], seconds: (60, 600), ..FORTY },
    // No limit but what is in flight, or what is served at a time.
    Scenario { quota: 80.0, kind: Kind::Nothing, ..FORTY },
    Scenario { quota: 80.0, kind: Kind::Nothing, ..MANY },
    Scenario { kind: Kind::Queue, concurrency: 32, ..FORTY },
];

/// Windows of a second beside those of the table, each with several courses of latencies: what is reached there is no
/// matter of luck.
pub fn windows() -> Vec<Scenario> {
    let quotas = [90.0, 150.0, 200.0, 300.0];
    let kinds = [Kind::Fixed(1), Kind::Sliding(1)];
    let all = quotas.iter().flat_map(|quota| kinds.map(|kind| (*quota, kind)));
    let of = |(quota, kind): (f64, Kind)| {
        let (concurrency, changes) = ((quota * 0.16) as usize, (quota * 30.0) as u64);
        let scenario = Scenario { quota, kind, concurrency, changes, seconds: (60, 60), ..STEADY };
        (1..=3).map(move |seed| Scenario { seed, ..scenario })
    };
    all.flat_map(of).collect()
}

/// A scenario that a number makes up: any quota, however it is counted, and any latency, with as much in flight as it
/// takes to use the quota.
pub fn any(number: u64) -> Scenario {
    let mut chance = Chance(number);
    let mut between = |least: f64, most: f64| least + (most - least) * chance.share();
    let quota = between(2.0, 60.0).round();
    let kind = match between(0.0, 5.0) as u32 {
        0 => Kind::Bucket((quota * between(0.25, 4.0)).ceil().max(5.0)),
        1 => Kind::Nginx((quota * between(0.25, 1.0)).ceil().max(6.0)),
        2 => Kind::Sliding(if between(0.0, 1.0) < 0.3 { 60 } else { 1 }),
        3 => Kind::SlidingStrict(if between(0.0, 1.0) < 0.3 { 60 } else { 1 }),
        _ => Kind::Fixed(if between(0.0, 1.0) < 0.3 { 60 } else { 1 }),
    };
    let latency = between(20.0, 400.0).round();
    let concurrency = (between(1.5, 3.0) * quota * latency / 1000.0).ceil().clamp(4.0, 64.0) as usize;
    let (changes, seconds) = (quota as u64 * 60, (60, 120));
    Scenario { quota, kind, concurrency, latency, spread: between(0.0, 0.5), changes, seconds, ..STEADY }
}

/// What came of it, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// How long it took to make the changes, in seconds.
    pub seconds: f64,
    /// Of the quota that was used until then, and after the start.
    pub used: (f64, f64),
    /// Of the requests that were throttled until then, and after the start.
    pub throttled: (f64, f64),
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
        let Wanted { used, throttled } = scenario.wanted;
        shares.used.0 < used.0
            || shares.used.1 < used.1
            || shares.throttled.0 > throttled.0
            || shares.throttled.1 > throttled.1
            || shares.given_up > 0
    };
    runs.iter().filter(missed).collect()
}

/// The table that docs/running.md shows.
pub fn table(runs: &[(Scenario, Shares)]) -> String {
    let mut table =
        "| quota | counted by | in flight | changes | used | afterwards | throttled | afterwards |\n\
                     |---|---|---|---:|---:|---:|---:|---:|\n"
            .to_owned();
    for (scenario, Shares { seconds, used, throttled, .. }) in runs {
        writeln!(
            table,
            "| {} | {} | {} | {} in {seconds:.1} s | {:.1} % | {:.1} % | {:.2} % | {:.2} % |",
            scenario.quota(),
            scenario.counted(),
            scenario.in_flight(),
            scenario.changes,
            used.0,
            used.1,
            throttled.0,
            throttled.1,
        )
        .unwrap();
    }
    table
}

/// The same with the goals, and a mark where one is missed.
pub fn table_with_goals(runs: &[(Scenario, Shares)]) -> String {
    let goals = runs.iter().map(|(scenario, shares)| {
        let Wanted { used, throttled } = scenario.wanted;
        let mark = if missed(&[(*scenario, *shares)]).is_empty() { "" } else { " MISSED" };
        format!(" ≥ {} %, ≥ {} %, ≤ {} %, ≤ {} %{mark} |\n", used.0, used.1, throttled.0, throttled.1)
    });
    let goals = [" goals |\n".to_owned(), "---|\n".to_owned()].into_iter().chain(goals);
    table(runs).lines().zip(goals).map(|(line, goals)| format!("{line}{goals}")).collect()
}

impl Scenario {
    fn quota(&self) -> String {
        let whole = match self.kind {
            Kind::Fixed(60) | Kind::Sliding(60) | Kind::SlidingStrict(60) => {
                format!("{:.0} a minute", self.quota * 60.0)
            }
            _ if self.quota < 5.0 && self.quota != self.quota.round() => {
                format!("{:.0} a minute", self.quota * 60.0)
            }
            _ => format!("{} a second", self.quota),
        };
        match self.moves {
            [] => whole,
            [(from, 0.0), (until, _)] => format!("{whole}, nothing for {} s after {from} s", until - from),
            _ => format!("{whole}, halves and recovers"),
        }
    }

    fn counted(&self) -> String {
        let counted = match self.kind {
            Kind::Bucket(1.0) => "a bucket of 1 token".to_owned(),
            Kind::Bucket(tokens) => format!("a bucket of {tokens} tokens"),
            Kind::Nginx(tokens) => format!("a bucket of {tokens} tokens, refused with 503"),
            Kind::Sliding(_) => "a sliding window".to_owned(),
            Kind::SlidingStrict(_) => "a sliding window, refusals too".to_owned(),
            Kind::Fixed(_) => "a fixed window".to_owned(),
            Kind::Queue => "nobody, one is served at a time".to_owned(),
            Kind::Nothing => "nobody, what is in flight is the limit".to_owned(),
        };
        match self.told {
            Told::Right => counted,
            Told::Untold => format!("{counted}, no `Retry-After`"),
            Told::Always(seconds) => format!("{counted}, `Retry-After: {seconds}`"),
        }
    }

    fn in_flight(&self) -> String {
        let Self { concurrency, latency, spread, .. } = self;
        let spread = if *spread > 0.1 { format!(" ± {:.0} %", spread * 100.0) } else { String::new() };
        format!("{concurrency} × {latency} ms{spread}")
    }

    /// What may be asked for so long after the beginning.
    fn quota_at(&self, time: Duration) -> f64 {
        let past = self.moves.iter().rfind(|(second, _)| time >= Duration::from_secs(*second));
        self.quota * past.map_or(1.0, |(_, share)| *share)
    }

    /// All that the quota grants in a time, in tenths of a second.
    fn granted(&self, from: f64, until: f64) -> f64 {
        let tenths = ((until - from) * 10.0).ceil() as u64;
        let at = |tenth: u64| from + tenth as f64 / 10.0;
        let in_tenth =
            |tenth: u64| self.quota_at(Duration::from_secs_f64(at(tenth))) * (until - at(tenth)).min(0.1);
        (0..tenths).map(in_tenth).sum()
    }
}

/// Numbers as if by chance, the same every time.
struct Chance(u64);

impl Chance {
    /// Of Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
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
    chance: Chance,
    /// With the start, and after it.
    let_through: (u64, u64),
    throttled: (u64, u64),
    /// When the changes were made, and how many requests had been throttled by then.
    made: Option<(Duration, u64)>,
    given_up: u64,
    referrals: u64,
}

impl Service {
    fn new(scenario: Scenario) -> Self {
        let tokens =
            if let Kind::Bucket(tokens) | Kind::Nginx(tokens) = scenario.kind { tokens } else { 0.0 };
        Self {
            scenario,
            begun: Instant::now(),
            tokens,
            last: Duration::ZERO,
            arrivals: VecDeque::new(),
            window: 0,
            chance: Chance(scenario.seed),
            let_through: (0, 0),
            throttled: (0, 0),
            made: None,
            given_up: 0,
            referrals: 0,
        }
    }

    /// The way to the service, or back: half the latency, more or less.
    fn way(&mut self) -> Duration {
        let share = self.chance.share();
        let Scenario { latency, spread, .. } = self.scenario;
        Duration::from_secs_f64(latency / 2000.0 * (1.0 - spread + 2.0 * spread * share))
    }

    /// A referral that nothing was asked for so far.
    fn next(&mut self) -> ReferralId {
        self.referrals += 1;
        format!("5a1e0001-0000-4000-8000-{:012}", self.referrals).parse().unwrap()
    }

    /// A request comes: how long it is served for. Where it is one too many: the seconds to wait, where that is told.
    fn enter(&mut self) -> Result<Duration, Option<Duration>> {
        let now = self.begun.elapsed();
        let quota = self.scenario.quota_at(now);
        let answer = match self.scenario.kind {
            _ if quota == 0.0 => Err(Duration::from_secs(10)),
            Kind::Bucket(most) | Kind::Nginx(most) => self.take_token(now, quota, most),
            Kind::Sliding(seconds) => self.slide(now, quota, seconds, false),
            Kind::SlidingStrict(seconds) => self.slide(now, quota, seconds, true),
            Kind::Fixed(seconds) => self.count(now, quota, seconds),
            Kind::Queue => {
                self.last = self.last.max(now) + Duration::from_secs_f64(1.0 / quota);
                Ok(self.last - now)
            }
            Kind::Nothing => Ok(Duration::ZERO),
        };
        let count = if answer.is_ok() { &mut self.let_through } else { &mut self.throttled };
        count.0 += 1;
        count.1 += u64::from(now.as_secs() >= self.scenario.seconds.0);
        if self.let_through.0 == self.scenario.changes {
            self.made.get_or_insert((now, self.throttled.0));
        }
        answer.map_err(|wait| match (self.scenario.kind, self.scenario.told) {
            (Kind::Nginx(_), _) | (_, Told::Untold) => None,
            (_, Told::Right) => Some(Duration::from_secs_f64(wait.as_secs_f64().ceil().max(1.0))),
            (_, Told::Always(seconds)) => Some(Duration::from_secs(seconds)),
        })
    }

    fn take_token(&mut self, now: Duration, quota: f64, most: f64) -> Result<Duration, Duration> {
        self.tokens = (self.tokens + (now - self.last).as_secs_f64() * quota).min(most);
        self.last = now;
        if self.tokens < 1.0 - 1e-9 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / quota));
        }
        self.tokens -= 1.0;
        Ok(Duration::ZERO)
    }

    fn slide(&mut self, now: Duration, quota: f64, seconds: u32, strict: bool) -> Result<Duration, Duration> {
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
            return Ok(Duration::ZERO);
        }
        // As many as are too many must be gone, and one more.
        let next = self.arrivals[self.arrivals.len() - most];
        Err((next + span).saturating_sub(now))
    }

    fn count(&mut self, now: Duration, quota: f64, seconds: u32) -> Result<Duration, Duration> {
        let window = now.as_secs() / u64::from(seconds);
        if window != self.window {
            self.window = window;
            self.arrivals.clear();
        }
        if self.arrivals.len() < (quota * f64::from(seconds)).round() as usize {
            self.arrivals.push_back(now);
            return Ok(Duration::ZERO);
        }
        Err(Duration::from_secs((window + 1) * u64::from(seconds)) - now)
    }

    fn shares(&self) -> Shares {
        let scenario = self.scenario;
        let (made, throttled_by_then) = self.made.expect("there is time for all changes");
        let share =
            |throttled: u64, let_through: u64| throttled as f64 / (let_through + throttled) as f64 * 100.0;
        let (from, measured) = (scenario.seconds.0 as f64, scenario.seconds.1 as f64);
        let changes = scenario.changes as f64;
        Shares {
            seconds: made.as_secs_f64(),
            used: (
                changes / scenario.granted(0.0, made.as_secs_f64()) * 100.0,
                self.let_through.1 as f64 / scenario.granted(from, from + measured) * 100.0,
            ),
            throttled: (
                share(throttled_by_then, scenario.changes),
                share(self.throttled.1, self.let_through.1),
            ),
            given_up: self.given_up,
        }
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
        service.lock().unwrap().shares()
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
        sleep(way + answer.unwrap_or_default()).await;
        let wait = match answer {
            Ok(_) => {
                pace.answered(turn);
                pace.blame().let_through(about, left);
                (about.referral, tries) = (None, 0);
                continue;
            }
            Err(wait) => wait,
        };
        let is_503 = matches!(service.lock().unwrap().scenario.kind, Kind::Nginx(_));
        let is_throttle = !is_503 || pace.blame().is_load(Some(id), left);
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
