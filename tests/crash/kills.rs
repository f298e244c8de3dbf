//! Processes that are killed again and again.

use std::time::Duration;

use super::World;
use crate::support::random::Random;
use crate::support::raw::deadly::{Doom, Moment};
use crate::support::waiting::each;

/// Where and when a process is killed.
pub fn doom(random: &mut Random) -> Doom {
    let moment = match random.below(7) {
        0 => Moment::Arrived,
        1 => Moment::Late(random.below(40)),
        2 => Moment::CarriedOut,
        3 => Moment::HalfHead,
        4 => Moment::HalfBody,
        5 => Moment::Answered,
        _ => Moment::Soon(Duration::from_micros(random.below(20_000) as u64)),
    };
    Doom { at_a_look: random.below(4) == 0, at_page: None, at_change: 1 + random.below(60), moment }
}

/// How many changes a run has, and how often it is killed at least.
const CHANGES: usize = 1_000;
const KILLS: usize = 21;

/// Ten thousand changes in ten runs, two of them planned without a look.
#[test]
fn every_change_is_made_once_however_often_the_process_is_killed() {
    let runs: Vec<(u64, &'static str)> =
        (0..10).map(|run| (run, if run < 8 { "live" } else { "none" })).collect();
    let kills: usize = each(&runs, |(run, state)| kill_again_and_again(*run, state)).iter().sum();
    assert!(kills >= 200, "killed {kills} times in {} runs", runs.len());
}

/// Answers how often.
fn kill_again_and_again(seed: u64, state: &'static str) -> usize {
    let world = World::new(CHANGES, state);
    let mut random = Random(20_261_121 + seed);
    let mut kills = 0;
    if state == "live" {
        // While it is planned, it begins again each time.
        for at_page in [3, 10] {
            let doom = Doom { at_page: Some(at_page), ..doom(&mut random) };
            kills += usize::from(world.go_on(Some(doom)).code.is_none());
        }
    }
    while kills < KILLS {
        let doom = Some(doom(&mut random));
        let ended = match random.below(4) {
            0 => world.go_on_to_step(1 + random.below(150), None, doom),
            _ => world.go_on(doom),
        };
        if ended.code.is_some() {
            panic!("it ended before its doom: {}", ended.stderr);
        }
        kills += 1;
        world.is_booked();
    }
    let ended = world.go_on(None);
    let unknown = world.is_done();
    assert_eq!(ended.code, Some(if unknown > 0 { 3 } else { 0 }), "{}", ended.stderr);
    kills
}
