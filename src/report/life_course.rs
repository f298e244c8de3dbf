//! The course of carrying out an item: its attempts and steps in the order in which they came.

use crate::domain::attempt::AttemptAccount;
use crate::domain::life::ItemLife;
use crate::domain::step::{NextMove, Step, StepKind, StepTaken, Waits};

/// One event in the course of an item.
#[derive(Debug)]
pub(super) enum CourseEvent<'a> {
    /// An attempt, with what was waited for before it, and what followed from its failure.
    Attempt { attempt: &'a AttemptAccount, waits: Waits, next: Option<NextMove> },
    /// A step of its own.
    Step(&'a StepTaken),
}

/// Returns the events of an item in their order.
///
/// What belongs to an attempt comes with or behind it, and before the next, whatever the clock said: that may have been
/// set meanwhile. A step that belongs to none comes by its time.
pub(super) fn course(life: &ItemLife) -> Vec<CourseEvent<'_>> {
    let mut events = Vec::new();
    let mut steps = life.steps.iter().peekable();
    for attempt in &life.attempts {
        let comes_before = |step: &&Step| match step.attempt {
            Some(number) => number < attempt.number,
            None => step.taken.at < attempt.at,
        };
        while let Some(step) = steps.next_if(comes_before) {
            events.push(CourseEvent::Step(&step.taken));
        }
        let of_it = || life.steps.iter().filter(|step| step.attempt == Some(attempt.number));
        events.push(CourseEvent::Attempt {
            attempt,
            waits: of_it().filter_map(|step| waited(&step.taken)).fold(Waits::default(), |mut sum, waits| {
                sum.add(waits);
                sum
            }),
            next: of_it().rev().find_map(|step| decided(&step.taken)),
        });
        let is_its = |step: &&Step| step.attempt == Some(attempt.number);
        while let Some(step) = steps.next_if(is_its) {
            let is_told = waited(&step.taken).is_some() || decided(&step.taken).is_some();
            events.extend((!is_told).then_some(CourseEvent::Step(&step.taken)));
        }
    }
    events.extend(steps.map(|step| CourseEvent::Step(&step.taken)));
    events
}

fn waited(taken: &StepTaken) -> Option<Waits> {
    match taken.kind {
        StepKind::Waited(waits) => Some(waits),
        StepKind::Decided { .. }
        | StepKind::Looked(_)
        | StepKind::Listed { .. }
        | StepKind::Rebased { .. }
        | StepKind::Withdrawn => None,
    }
}

fn decided(taken: &StepTaken) -> Option<NextMove> {
    match taken.kind {
        StepKind::Decided { next } => Some(next),
        StepKind::Waited(_)
        | StepKind::Looked(_)
        | StepKind::Listed { .. }
        | StepKind::Rebased { .. }
        | StepKind::Withdrawn => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::super::testing::planned_item;
    use super::*;
    use crate::domain::item::Effect;

    /// What stands where in the course of attempts and steps that are given by attempt, second and kind.
    fn told(attempts: &[(u64, i64)], steps: &[(Option<u64>, i64, StepKind)]) -> String {
        let at = |second: i64| jiff::Timestamp::from_second(second).unwrap();
        let attempt = |(number, second): &(u64, i64)| AttemptAccount {
            number: *number,
            at: at(*second),
            client_request_id: Uuid::nil(),
            etag: None,
            document: None,
            answer: None,
        };
        let step = |(attempt, second, kind): &(Option<u64>, i64, StepKind)| Step {
            attempt: *attempt,
            taken: StepTaken { at: at(*second), kind: kind.clone() },
        };
        let life = ItemLife {
            account: planned_item(1, Effect::Reversible, &[], None),
            attempts: attempts.iter().map(attempt).collect(),
            steps: steps.iter().map(step).collect(),
            verified: None,
        };
        let events = course(&life).into_iter().map(|event| match event {
            CourseEvent::Attempt { attempt, waits, next } => {
                format!("{}({},{next:?})", attempt.number, waits.rate.as_millis())
            }
            CourseEvent::Step(StepTaken { kind: StepKind::Withdrawn, .. }) => "withdrawn".to_owned(),
            CourseEvent::Step(StepTaken { kind: StepKind::Rebased { .. }, .. }) => "rebased".to_owned(),
            CourseEvent::Step(StepTaken { kind: StepKind::Waited(_), .. }) => "waited".to_owned(),
            CourseEvent::Step(taken) => format!("{taken:?}"),
        });
        events.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn events_come_in_their_order() {
        let waited = StepKind::Waited(Waits { rate: Duration::from_millis(5), ..Waits::default() });
        let decided = |next| StepKind::Decided { next };
        let rebased = StepKind::Rebased { from: None, to: None };
        for (attempts, steps, wanted) in [
            (&[][..], vec![], ""),
            (&[(4, 1), (7, 2)], vec![], "4(0,None) 7(0,None)"),
            (
                &[(4, 1), (7, 2)],
                vec![
                    (Some(4), 1, waited.clone()),
                    (Some(4), 1, decided(NextMove::Recheck)),
                    // The clock was set back.
                    (Some(4), 0, rebased.clone()),
                    (Some(7), 2, waited.clone()),
                ],
                "4(5,Some(Recheck)) rebased 7(5,None)",
            ),
            // Another process goes on, and has made no attempt yet.
            (
                &[(4, 1), (7, 5)],
                vec![(None, 3, rebased.clone()), (None, 6, StepKind::Withdrawn)],
                "4(0,None) rebased 7(0,None) withdrawn",
            ),
            // What was withdrawn is no attempt any more.
            (
                &[(4, 1), (7, 5)],
                vec![(Some(5), 2, waited.clone()), (None, 2, StepKind::Withdrawn)],
                "4(0,None) waited withdrawn 7(0,None)",
            ),
            (&[], vec![(Some(1), 2, waited), (None, 2, StepKind::Withdrawn)], "waited withdrawn"),
        ] {
            assert_eq!(told(attempts, &steps), wanted);
        }
    }
}
