//! Tracks what is in flight, and detects a run that stands still: where nothing comes to an end, it first
//! warns and then stops the run.
//!
//! Every request ends by itself after its timeout. So where nothing ends for longer than that, something else
//! is stuck: the source of the token, or the disk.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::domain::referral::ReferralId;

/// The time without an end after which the first warning is given. Each further one comes after twice the
/// time.
const QUIET: Duration = Duration::from_secs(10);

/// The time without an end, beyond the timeout of one request, after which the run stops: more than a token
/// command may take.
const GRACE: Duration = Duration::from_secs(180);

/// The number of operations that a warning names one by one.
const MOST_NAMED: usize = 5;

/// An operation in flight, which a worker waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flight {
    /// A GET of a page of the list.
    List,
    /// A GET of a referral.
    Get(ReferralId),
    /// Fetching a token.
    Token,
    /// Writing the intent to change a referral to disk.
    Intent(ReferralId),
    /// A PATCH of a referral.
    Patch(ReferralId),
}

impl fmt::Display for Flight {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => out.write_str("GET of a page of the list"),
            Self::Get(id) => write!(out, "GET {id}"),
            Self::Token => out.write_str("a token"),
            Self::Intent(id) => write!(out, "the ledger, before PATCH {id}"),
            Self::Patch(id) => write!(out, "PATCH {id}"),
        }
    }
}

/// All operations in flight.
#[derive(Debug, Default)]
pub struct Flights(Mutex<FlightTable>);

/// The operations in flight, with when each began.
#[derive(Debug, Default)]
struct FlightTable {
    begun: u64,
    /// By number, so that the oldest comes first.
    under_way: BTreeMap<u64, (Flight, Instant)>,
    /// When an operation last came to its end.
    last_end: Option<Instant>,
}

/// Marks an operation as in flight until it is dropped.
#[derive(Debug)]
pub struct UnderWay<'a> {
    flights: &'a Flights,
    number: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut table = self.flights.table();
        table.under_way.remove(&self.number);
        table.last_end = Some(Instant::now());
    }
}

impl Flights {
    /// Records that an operation is in flight, until the guard is dropped.
    pub fn begin(&self, flight: Flight) -> UnderWay<'_> {
        let mut table = self.table();
        table.begun += 1;
        let number = table.begun;
        table.under_way.insert(number, (flight, Instant::now()));
        UnderWay { flights: self, number }
    }

    /// Returns how many requests are in flight, those included whose intent is being written.
    pub fn requests(&self) -> usize {
        self.table().under_way.values().filter(|(flight, _)| *flight != Flight::Token).count()
    }

    /// Watches a run whose requests take at most `timeout`. Calls `warn` with how long nothing has come to an
    /// end and with what is in flight. Returns what is in flight once nothing can be expected to end any
    /// more.
    pub async fn watch(&self, timeout: Duration, warn: impl Fn(Duration, &str)) -> String {
        let longest = timeout + GRACE;
        let mut told = None;
        loop {
            let Some(since) = self.quiet_since() else {
                sleep(QUIET).await;
                continue;
            };
            let due = match told {
                Some((told_of, next)) if told_of == since => next,
                _ => QUIET,
            };
            let due = due.min(longest);
            sleep_until(since + due).await;
            if self.quiet_since() != Some(since) {
                continue;
            }
            if due == longest {
                return self.names();
            }
            warn(since.elapsed(), &self.names());
            told = Some((since, due * 2));
        }
    }

    /// Returns since when nothing has come to an end; `None` where nothing is in flight.
    fn quiet_since(&self) -> Option<Instant> {
        let table = self.table();
        let oldest = table.under_way.values().map(|(_, since)| *since).min()?;
        Some(table.last_end.map_or(oldest, |end| end.max(oldest)))
    }

    /// Names the operations in flight, the oldest first.
    fn names(&self) -> String {
        let table = self.table();
        let name =
            |(flight, since): &(Flight, Instant)| format!("{flight} (for {} s)", since.elapsed().as_secs());
        let mut names: Vec<String> = table.under_way.values().take(MOST_NAMED).map(name).collect();
        if table.under_way.len() > MOST_NAMED {
            names.push(format!("and {} more", table.under_way.len() - MOST_NAMED));
        }
        names.join(", ")
    }

    /// Every change above leaves the board whole, so a poisoned lock holds nothing wrong.
    fn table(&self) -> MutexGuard<'_, FlightTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ReferralId {
        format!("5a1e0001-0000-4000-8000-{number:012}").parse().unwrap()
    }

    /// Watches for a number of seconds while something else happens, and returns what it says.
    async fn watched(
        flights: &Flights,
        timeout: u64,
        seconds: u64,
        happens: impl Future<Output = ()>,
    ) -> String {
        let (start, log) = (Instant::now(), Mutex::new(String::new()));
        let warn = |quiet: Duration, names: &str| {
            let line = format!("{}: quiet for {}: {names}\n", start.elapsed().as_secs(), quiet.as_secs());
            log.lock().unwrap().push_str(&line);
        };
        let watch = flights.watch(Duration::from_secs(timeout), warn);
        let over = async {
            happens.await;
            sleep_until(start + Duration::from_secs(seconds)).await;
        };
        let ended = tokio::select! {
            names = watch => format!("{}: over: {names}", start.elapsed().as_secs()),
            () = over => String::new(),
        };
        log.into_inner().unwrap() + &ended
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_said_where_things_come_to_an_end() {
        let flights = Flights::default();
        let happens = async {
            sleep(Duration::from_secs(100)).await;
            let hangs = flights.begin(Flight::Patch(id(1)));
            for _ in 0..100 {
                let _answered = flights.begin(Flight::Get(id(2)));
                sleep(Duration::from_secs(9)).await;
            }
            drop(hangs);
            sleep(Duration::from_secs(100)).await;
        };
        assert_eq!(watched(&flights, 30, 2_000, happens).await, "");
    }

    #[tokio::test(start_paused = true)]
    async fn what_stands_still_is_named_ever_more_seldom_and_not_for_ever() {
        let flights = Flights::default();
        let _page = flights.begin(Flight::List);
        let happens = async {
            sleep(Duration::from_secs(4)).await;
            drop(flights.begin(Flight::Get(id(3))));
            let _all = [
                flights.begin(Flight::Get(id(4))),
                flights.begin(Flight::Intent(id(5))),
                flights.begin(Flight::Patch(id(6))),
            ];
            std::future::pending().await
        };
        let names = |seconds: u64| {
            let later = seconds - 4;
            format!(
                "GET of a page of the list (for {seconds} s), GET {} (for {later} s), the ledger, before PATCH {} \
                 (for {later} s), PATCH {} (for {later} s)",
                id(4),
                id(5),
                id(6)
            )
        };
        let mut wanted = String::new();
        for quiet in [10, 20, 40, 80, 160] {
            wanted += &format!("{}: quiet for {quiet}: {}\n", quiet + 4, names(quiet + 4));
        }
        wanted += &format!("214: over: {}", names(214));
        assert_eq!(watched(&flights, 30, 1_000, happens).await, wanted);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_are_named() {
        let flights = Flights::default();
        let _all: Vec<_> = (1..=8).map(|number| flights.begin(Flight::Patch(id(number)))).collect();
        let told = watched(&flights, 30, 11, std::future::ready(())).await;
        assert_eq!(told.matches("PATCH").count(), 5);
        assert!(told.ends_with("(for 10 s), and 3 more\n"), "{told}");
    }
}
