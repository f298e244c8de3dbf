use std::collections::VecDeque;

use super::falling::BELOW;
use super::growing::LEAP;
use super::known::{MOST_FORETOLD, OF_TOLD};
use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A controller whose requests are let through one after another, without latency.
struct World {
    controller: Controller,
    now: Duration,
    /// Whether the rate holds requests back.
    waits: bool,
}

impl World {
    fn new(controller: Controller) -> Self {
        Self { controller, now: Duration::ZERO, waits: true }
    }

    fn send(&mut self) -> Turn {
        self.now += self.controller.interval();
        self.controller.granted(self.now, self.waits)
    }

    /// Sends requests for a time, all of which are let through.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            let turn = self.send();
            self.controller.answered(self.now, turn);
        }
    }

    /// Sends a request that is throttled.
    fn throttle(&mut self, pause: Duration) {
        let turn = self.send();
        self.controller.throttled(self.now, turn, pause);
        self.now += pause;
    }

    fn rate(&self) -> f64 {
        self.controller.rate()
    }
}

fn auto() -> World {
    World::new(Controller::seeking(Duration::from_micros(1)))
}

/// A run that seeks its limit from the first rate on, as after a start that answers were too slow for.
fn seeking() -> World {
    let controller = Controller::new(Duration::from_micros(1), START, Mode::Seek { step: LEAP });
    World::new(controller)
}

#[test]
fn where_no_limit_is_known_the_rate_leaps() {
    let mut world = seeking();
    let mut rates = vec![world.rate()];
    for _ in 0..60 {
        world.run(s(1));
        if rates.last() != Some(&world.rate()) {
            rates.push(world.rate());
        }
    }
    assert_eq!(rates[0], START);
    assert!(rates.windows(2).all(|pair| (pair[1] / pair[0] - 1.25).abs() < 1e-9), "{rates:?}");
    assert!(rates.len() > 12, "a round is 4 s: {rates:?}");
}

#[test]
fn what_the_rate_does_not_hold_back_does_not_raise_it() {
    let mut world = auto();
    world.waits = false;
    world.run(s(600));
    assert_eq!(world.rate(), START);
}

#[test]
fn a_limit_leads_back_to_what_was_borne_and_is_not_tried_again_soon() {
    let mut world = seeking();
    world.run(s(30));
    let throttled = world.rate();
    world.throttle(s(1));
    assert!((world.rate() - throttled / 1.25).abs() < 1e-9, "the last rate that was borne");
    world.run(s(60));
    let held = world.rate();
    assert!((held / throttled - BELOW).abs() < 1e-9, "a little below: {held} of {throttled}");
    // A second of pause is one percent of a hundred seconds.
    world.run(s(20));
    assert_eq!(world.rate(), held);
    world.run(s(30));
    assert!(world.rate() > held && world.rate() < held * 1.1, "small steps: {}", world.rate());
}

#[test]
fn a_limit_that_has_gone_is_left_behind() {
    let mut world = seeking();
    world.run(s(30));
    world.throttle(s(1));
    let throttled = world.now;
    while world.rate() < 100.0 {
        world.run(s(1));
    }
    assert!(world.now - throttled < s(300), "{:?}", world.now - throttled);
}

#[test]
fn what_was_in_flight_is_throttled_together() {
    let mut world = seeking();
    world.run(s(30));
    let turns = [world.send(), world.send(), world.send()];
    world.controller.throttled(world.now, turns[0], s(1));
    let (rate, owed) = (world.rate(), world.controller.owed);
    for turn in &turns[1..] {
        world.controller.throttled(world.now, *turn, s(1));
    }
    assert_eq!(world.rate(), rate, "the rate is lowered once");
    assert_eq!(world.controller.owed, 3.0 * owed, "each is paid off");
    assert_eq!(world.controller.opening, world.now + s(1));
    world.controller.throttled(world.now, turns[1], s(9));
    assert_eq!(world.controller.opening, world.now + s(9), "the longest pause counts");
}

#[test]
fn what_was_no_limit_is_taken_back_unless_there_was_one() {
    for (others, is_taken_back) in [(0, true), (1, false)] {
        for (mut world, well) in [
            (auto(), s(1)),
            (seeking(), s(30)),
            (World::new(Controller::up_to(Duration::from_millis(20))), s(30)),
        ] {
            world.run(well);
            let before = world.controller.checkpoint();
            world.throttle(s(5));
            world.run(s(1));
            world.throttle(s(5));
            (0..others).for_each(|_| world.throttle(s(5)));
            assert!(world.rate() < before.rate && world.controller.was_throttled());
            world.controller.roll_back(world.now, before, 2);
            let after = world.controller.checkpoint();
            assert_eq!(RateCheckpoint { episode: before.episode, ..after } == before, is_taken_back);
            assert_eq!(world.controller.was_throttled(), !is_taken_back);
        }
    }
}

#[test]
fn a_rate_falls_to_what_got_through_but_by_half_at_most() {
    // Seconds that it went well for, the length of the pause, and the share that is left.
    for (well, pause, share) in [(1000, 1, 0.98), (90, 10, 0.9), (30, 10, 0.75), (10, 60, 0.5)] {
        let mut world = World::new(Controller::up_to(Duration::from_millis(100)));
        world.run(s(well));
        world.throttle(s(pause));
        assert!((world.rate() / 10.0 - share).abs() < 0.002, "{well} {pause}: {}", world.rate());
    }
}

#[test]
fn a_pause_that_was_too_short_says_nothing_of_the_rate() {
    let mut world = World::new(Controller::up_to(Duration::from_millis(100)));
    world.run(s(100));
    world.throttle(s(1));
    let (rate, interval) = (world.rate(), world.controller.interval());
    for in_a_row in 2..40 {
        world.throttle(s(1));
        assert_eq!((world.rate(), world.controller.in_a_row), (rate, in_a_row));
        assert_eq!(world.controller.interval(), CAREFUL);
    }
    world.run(s(1));
    assert_eq!((world.controller.in_a_row, world.controller.interval()), (0, interval));
}

#[test]
fn a_ceiling_is_never_exceeded_and_reached_to_the_nanosecond() {
    let ceiling = Duration::from_nanos(333_333_334);
    let mut world = World::new(Controller::up_to(ceiling));
    world.run(s(100));
    for _ in 0..5 {
        world.throttle(s(30));
        assert!(world.controller.interval() > ceiling);
        for _ in 0..600 {
            world.run(s(1));
            assert!(world.controller.interval() >= ceiling);
        }
    }
    world.run(s(2000));
    assert_eq!(world.controller.interval(), ceiling);
}

#[test]
fn no_rate_falls_below_the_slowest() {
    let mut world = auto();
    for _ in 0..50 {
        let turn = world.send();
        world.controller.answered(world.now, turn);
        world.throttle(s(600));
    }
    assert_eq!(world.rate(), SLOWEST);
    let slower = s(1000);
    let mut world = World::new(Controller::up_to(slower));
    world.throttle(s(600));
    assert_eq!(world.controller.interval(), slower, "nor below the user's, where that is slower");
}

/// The rates of the first two seconds, with the milliseconds since when: the next request always waits, and is answered
/// after a latency that depends on the rate.
fn rates_of_the_start(latency: impl Fn(f64) -> Duration) -> Vec<(u128, f64)> {
    let mut controller = Controller::seeking(Duration::from_micros(1));
    let (mut sent, mut under_way, mut rates) = (None, VecDeque::new(), Vec::new());
    loop {
        let next = sent.map_or(Duration::ZERO, |last| last + controller.interval());
        let answered = under_way.front().map(|(at, _)| *at).filter(|at| *at <= next);
        let now = answered.unwrap_or(next);
        if now > s(2) || controller.rate() > 1000.0 {
            return rates;
        }
        if answered.is_some() {
            let (_, turn) = under_way.pop_front().unwrap();
            controller.answered(now, turn);
            if rates.last().is_none_or(|(_, last)| *last != controller.rate()) {
                rates.push((now.as_millis(), controller.rate()));
            }
        } else {
            let turn = controller.granted(now, sent.is_some());
            under_way.push_back((now + latency(controller.rate()), turn));
            controller.waits();
            sent = Some(now);
        }
    }
}

#[test]
fn the_rate_doubles_at_the_start() {
    let ms = Duration::from_millis;
    let quick: Vec<f64> = rates_of_the_start(|_| ms(20)).iter().map(|(_, rate)| *rate).collect();
    assert_eq!(quick[..6], [8.0, 32.0, 64.0, 128.0, 256.0, 512.0]);
    let slow = rates_of_the_start(|_| ms(400));
    assert!(slow.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 400), "an answer is waited for: {slow:?}");
}

#[test]
fn where_answers_queue_the_rate_goes_back() {
    let ms = Duration::from_millis;
    let rates = rates_of_the_start(|rate| if rate > 100.0 { ms(300) } else { ms(20) });
    let (_, last) = *rates.last().unwrap();
    assert!(rates.iter().any(|(_, rate)| *rate == 128.0) && last < 70.0, "{rates:?}");
}

#[test]
fn the_start_goes_on_with_what_was_let_through_last() {
    let mut world = auto();
    // 2, 8, 32 and 64 a second.
    while world.rate() < 100.0 {
        world.run(Duration::from_millis(10));
    }
    let turn = world.send();
    world.controller.throttled(world.now, turn, s(1));
    // 4 of 8, 6 of 32 and 13 of 64 a second, or so.
    assert!((20.0..40.0).contains(&world.rate()), "{}", world.rate());
    assert!(matches!(world.controller.mode, Mode::Seek { .. }));
}

/// A quota of a minute, whose minutes begin with the run: so many are let through in each.
#[test]
fn a_limit_of_a_minute_is_known_after_two() {
    for quota in [50, 100, 600] {
        let (mut world, mut throttled) = (auto(), 0);
        let (mut minute, mut used) = (0, 0);
        while world.now < s(300) {
            let turn = world.send();
            if world.now.as_secs() / 60 != minute {
                (minute, used) = (world.now.as_secs() / 60, 0);
            }
            if used < quota {
                used += 1;
                world.controller.answered(world.now, turn);
            } else {
                throttled += 1;
                let pause = s((minute + 1) * 60) - world.now;
                world.controller.throttled(world.now, turn, pause);
                world.now += pause;
            }
        }
        let share = world.rate() * 60.0 / quota as f64;
        assert!(throttled <= 3 && (0.95..=1.02).contains(&share), "{quota}: {throttled} {share}");
    }
}

#[test]
fn the_start_ends_however_it_goes() {
    let mut world = auto();
    for fall in 0..=start::MAX_FALLS {
        assert!(world.controller.start.is_some(), "{fall}");
        world.run(s(1));
        world.throttle(s(1));
    }
    assert!(world.controller.start.is_none());
    let mut world = auto();
    world.run(Duration::from_millis(500));
    world.throttle(s(1));
    world.run(s(1));
    world.throttle(s(1));
    assert_eq!(world.controller.mode, Mode::Hold);
    world.run(SETTLED + s(1));
    assert!(world.controller.start.is_none(), "a rate was held");
}

#[test]
fn a_rate_that_was_borne_is_begun_with() {
    let limit = |per_second| BorneRate { per_second, is_limit: true };
    let mut world = auto();
    world.controller.begin_at(Duration::ZERO, limit(40.0));
    assert_eq!(world.rate(), 40.0);
    world.run(s(59));
    assert_eq!((world.rate(), world.controller.borne()), (40.0, Some(limit(40.0))), "it is held for a while");
    world.run(s(60));
    assert!(world.rate() > 40.0, "and more is tried then");
    // What was no limit is begun with and doubled.
    let mut world = auto();
    world.controller.begin_at(Duration::ZERO, BorneRate { per_second: 40.0, is_limit: false });
    world.run(s(1));
    assert!(world.rate() > 160.0);
    // Hostile values.
    for per_second in [0.0, -1.0, f64::MIN_POSITIVE, 1e300, f64::INFINITY] {
        let mut world = auto();
        world.controller.begin_at(Duration::ZERO, limit(per_second));
        assert!((SLOWEST..=1e6 + 1.0).contains(&world.rate()), "{per_second}: {}", world.rate());
    }
}

#[test]
fn a_run_under_way_goes_on_with_what_was_borne_unless_it_knows_better() {
    for (per_second, is_limit, wanted, if_throttled) in [
        (40.0, true, 40.0, None),
        (500.0, true, 500.0, None),
        (500.0, false, 500.0, None),
        (1.0, false, 64.0, None),
        (1.0, true, 1.0, Some(1.0)),
    ] {
        for was_throttled in [false, true] {
            let mut world = auto();
            while world.rate() < 64.0 {
                world.run(Duration::from_millis(10));
            }
            if was_throttled {
                world.throttle(s(1));
            }
            let before = world.rate();
            world.controller.begin_at(world.now, BorneRate { per_second, is_limit });
            let wanted = if was_throttled { if_throttled.unwrap_or(before) } else { wanted };
            assert_eq!(world.rate(), wanted, "{per_second} {is_limit} {was_throttled}");
        }
    }
}

#[test]
fn nothing_is_borne_that_was_not_sustained() {
    let mut world = auto();
    world.waits = false;
    world.run(s(10));
    assert_eq!(world.controller.borne(), None, "the rate was not what held requests back");
    let mut world = auto();
    world.run(Duration::from_millis(700));
    let borne = world.controller.borne().unwrap();
    assert!(!borne.is_limit && borne.per_second < world.rate());
}

#[test]
fn a_rate_that_is_told_is_gone_to_once() {
    for (told, wanted) in [
        (40.0, 40.0 * OF_TOLD),
        (1.0, OF_TOLD),
        // Too slow or too fast to be believed.
        (0.1, START),
        (1e9, START),
        (f64::INFINITY, START),
    ] {
        let mut world = auto();
        world.controller.aim_at(Duration::ZERO, told);
        assert_eq!(world.rate(), wanted, "{told}");
        world.controller.aim_at(Duration::ZERO, 50.0);
        let again = if wanted == START { 50.0 * OF_TOLD } else { wanted };
        assert_eq!(world.rate(), again, "{told}: once");
    }
    for (told, wanted) in [(50.0, 10.0), (5.0, 5.0 * OF_TOLD)] {
        let mut world = World::new(Controller::up_to(Duration::from_millis(100)));
        world.controller.aim_at(Duration::ZERO, told);
        assert_eq!(world.rate(), wanted, "never above the user's");
        world.run(s(3600));
        assert_eq!(world.rate(), 10.0, "what is told wrongly is found out");
    }
}

#[test]
fn a_pause_that_every_answer_foretells_is_no_longer_believed() {
    let (mut world, mut pauses) = (auto(), 0);
    for _ in 0..100 {
        let turn = world.send();
        world.controller.answered(world.now, turn);
        if world.controller.believes_pause(turn) {
            world.controller.foretold(world.now, turn, s(60));
            world.now += s(60);
            pauses += 1;
        }
    }
    assert_eq!(pauses, MOST_FORETOLD);
    // One that more than one answer comes before is.
    let mut world = auto();
    for _ in 0..20 {
        world.run(s(5));
        let turn = world.send();
        world.controller.answered(world.now, turn);
        assert!(world.controller.believes_pause(turn));
        world.controller.foretold(world.now, turn, s(1));
        world.now += s(1);
    }
}
