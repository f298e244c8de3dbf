//! The rate as the user writes it: `2/s`, `90/m`, `0.5/s`, or `auto`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A number of requests a second or a minute, reads and writes together. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    number: Decimal,
    unit: Unit,
    interval: Duration,
}

/// The span of time that a rate counts requests in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
}

/// Whether the rate is given by the user or found by the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// This rate, and a lower one while the service throttles it.
    Fixed(Rate),
    /// The highest rate that the service does not throttle; the program finds it.
    Auto,
}

/// The reason why a text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// It is not a number, a slash, and `s` or `m`.
    #[error("a rate is a number of requests a second or a minute, or is found: write 2/s, 90/m or auto")]
    Form,
    /// It is zero, so nothing would ever be sent.
    #[error("a rate of zero sends nothing: give more, such as 2/s")]
    Zero,
    /// It is less than one request an hour.
    #[error("less than one request an hour is no useful rate: give more, such as 1/m")]
    TooSlow,
    /// It is more than a million requests a second.
    #[error("more than a million requests a second cannot be kept apart: give less")]
    TooFast,
}

/// The longest time between two requests.
const LONGEST: Duration = Duration::from_secs(3600);
/// The shortest time between two requests: below it, the limiter costs more time than it measures.
pub(super) const SHORTEST: Duration = Duration::from_micros(1);

impl Rate {
    /// Returns the time from one request to the next, rounded up to a nanosecond so that the rate is not
    /// exceeded. It lies between [`SHORTEST`] and [`LONGEST`].
    pub(super) fn interval(self) -> Duration {
        self.interval
    }

    /// Returns how many requests there is time for at this rate.
    pub fn requests_within(self, time: Duration) -> u64 {
        u64::try_from(time.as_nanos() / self.interval.as_nanos().max(1)).unwrap_or(u64::MAX)
    }

    /// Returns how long a number of requests takes at this rate.
    pub fn time_for(self, requests: u64) -> Duration {
        self.interval.saturating_mul(u32::try_from(requests).unwrap_or(u32::MAX))
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (number, unit) = text.split_once('/').ok_or(RateError::Form)?;
        let unit = match unit {
            "s" => Unit::Second,
            "m" => Unit::Minute,
            _ => return Err(RateError::Form),
        };
        // Decimal alone would also take signs and underscores.
        if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(RateError::Form);
        }
        let number = Decimal::from_str(number).map_err(|_| RateError::Form)?;
        if number.is_zero() {
            return Err(RateError::Zero);
        }
        let interval = unit.nanoseconds().checked_div(number).map(|nanoseconds| nanoseconds.ceil());
        let interval = interval.and_then(|nanoseconds| nanoseconds.to_u64()).map(Duration::from_nanos);
        match interval {
            Some(interval) if interval < SHORTEST => Err(RateError::TooFast),
            Some(interval) if interval <= LONGEST => Ok(Self { number: number.normalize(), unit, interval }),
            _ => Err(RateError::TooSlow),
        }
    }
}

impl FromStr for Pacing {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Fixed)
    }
}

impl Unit {
    fn nanoseconds(self) -> Decimal {
        Decimal::from(match self {
            Self::Second => 1_000_000_000_u64,
            Self::Minute => 60_000_000_000,
        })
    }
}

impl fmt::Display for Pacing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(rate) => rate.fmt(out),
            Self::Auto => out.write_str("auto"),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Second => "s",
            Unit::Minute => "m",
        };
        write!(out, "{}/{unit}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_shown() {
        for (text, shown, nanoseconds) in [
            ("2/s", "2/s", 500_000_000),
            (" 90/m ", "90/m", 666_666_667),
            ("0.5/s", "0.5/s", 2_000_000_000),
            ("2.50/s", "2.5/s", 400_000_000),
            ("3/s", "3/s", 333_333_334),
            ("100000/s", "100000/s", 10_000),
            ("1000000/s", "1000000/s", 1_000),
            ("1/m", "1/m", 60_000_000_000),
        ] {
            let rate: Rate = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(rate.to_string(), shown);
            assert_eq!(rate.interval(), Duration::from_nanos(nanoseconds), "{text}");
            assert_eq!(shown.parse(), Ok(rate), "{text}");
        }
    }

    #[test]
    fn a_rate_is_given_or_found() {
        for (text, shown) in [("auto", "auto"), (" AUTO ", "auto"), ("2.50/s", "2.5/s")] {
            let pacing: Pacing = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(pacing.to_string(), shown);
            assert_eq!(shown.parse(), Ok(pacing), "{text}");
        }
        assert_eq!("automatic".parse::<Pacing>(), Err(RateError::Form));
    }

    #[test]
    fn what_is_no_rate() {
        for (text, wanted) in [
            ("auto", RateError::Form),
            ("", RateError::Form),
            ("2", RateError::Form),
            ("2/", RateError::Form),
            ("/s", RateError::Form),
            ("./s", RateError::Form),
            ("2/h", RateError::Form),
            ("2 / s", RateError::Form),
            ("-2/s", RateError::Form),
            ("+2/s", RateError::Form),
            ("1_000/s", RateError::Form),
            ("1e3/s", RateError::Form),
            ("1.2.3/s", RateError::Form),
            ("2/s/s", RateError::Form),
            ("0/s", RateError::Zero),
            ("0.0/m", RateError::Zero),
            ("0.0001/s", RateError::TooSlow),
            ("0.0000000000000000000000000001/s", RateError::TooSlow),
            ("1100000/s", RateError::TooFast),
            ("79228162514264337593543950335/s", RateError::TooFast),
        ] {
            assert_eq!(text.parse::<Rate>(), Err(wanted), "{text}");
        }
    }
}
