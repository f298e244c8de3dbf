//! The bar of outcomes: the whole, and beneath it what needs a look, as wide as the page, since a thousandth of it would
//! be too small to see or to press.

use askama::Template;

use super::super::format::{counted, grouped};
use super::super::summary::Rows;
use super::words::{Percent, is_good, listed, outcomes_of};
use crate::domain::outcome::Outcome;

/// The least width of a piece that needs a look: enough for a thumb.
const LEAST: u64 = 6_500;

/// The share of the whole from which what needs a look is large enough without being shown again.
const LARGE: Percent = Percent(30_000);

#[derive(Template)]
#[template(path = "bar.html", config = "src/report/html/askama.toml")]
struct Bar {
    said: String,
    height: u32,
    whole: Vec<Piece>,
    /// Where what needs a look begins in the whole, if it is shown again.
    wedge: Option<Percent>,
    enlarged: Vec<Piece>,
}

/// The rows of one outcome.
struct Piece {
    name: &'static str,
    rows: String,
    title: String,
    x: Percent,
    width: Percent,
}

/// Returns the bar of these rows; `None` where there are none.
///
/// # Errors
/// Where a template can't be rendered, which is a defect.
pub(super) fn bar(rows: &Rows) -> Result<Option<String>, askama::Error> {
    let all = outcomes_of(rows);
    if all.is_empty() {
        return Ok(None);
    }
    let troubles: Vec<(Outcome, u64)> =
        all.iter().copied().filter(|(outcome, _)| !is_good(*outcome)).collect();
    let trouble = troubles.iter().map(|(_, rows)| rows).sum();
    let share = Percent::of(trouble, rows.total);
    let is_shown_again = trouble > 0 && share < LARGE;
    let said: Vec<String> =
        all.iter().map(|(outcome, rows)| format!("{} {}", grouped(*rows), outcome.name())).collect();
    let bar = Bar {
        said: format!("Outcomes of {}: {}.", counted(rows.total, "row"), listed(&said)),
        height: if is_shown_again { 76 } else { 16 },
        whole: pieces(&all, rows.total, 0),
        wedge: is_shown_again.then(|| Percent(Percent::WHOLE.0 - share.0)),
        enlarged: if is_shown_again { pieces(&troubles, trouble, LEAST) } else { Vec::new() },
    };
    bar.render().map(Some)
}

/// Returns pieces that fill the width, each at least this wide.
fn pieces(counts: &[(Outcome, u64)], total: u64, least: u64) -> Vec<Piece> {
    let room = Percent::WHOLE.0 - least * counts.len() as u64;
    let scaled = |rows| {
        u64::try_from(u128::from(Percent::of(rows, total).0) * u128::from(room) / 100_000).unwrap_or(0)
    };
    let (mut x, mut before) = (0, 0);
    let piece = |(outcome, rows): &(Outcome, u64)| {
        let begin = x;
        before += rows;
        x = scaled(before);
        (*outcome, *rows, begin, x)
    };
    let ends: Vec<_> = counts.iter().map(piece).collect();
    let piece = |(number, (outcome, rows, begin, end)): (u64, (Outcome, u64, u64, u64))| Piece {
        name: outcome.name(),
        rows: grouped(rows),
        title: format!("{} {}", grouped(rows), outcome.name()),
        x: Percent(begin + number * least),
        width: Percent(end - begin + least),
    };
    (0..).zip(ends).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    #[test]
    fn nothing_has_no_bar() {
        assert_eq!(bar(&rows(&[])).unwrap(), None);
    }

    #[test]
    fn what_needs_a_look_is_shown_again_where_it_is_small() {
        let told = bar(&rows(&[(Outcome::Applied, 1_495), (Outcome::Conflict, 3), (Outcome::Unknown, 2)]))
            .unwrap()
            .unwrap();
        insta::assert_snapshot!(told, @r##"
        <svg class="bar" role="img" aria-label="Outcomes of 1,500 rows: 1,495 applied, 3 conflict and 2 unknown." height="76"><rect class="fill o-applied" data-filter="outcome:applied" x="0.000%" width="99.666%" height="16"><title>1,495 applied</title></rect><rect class="fill o-conflict" data-filter="outcome:conflict" x="99.666%" width="0.200%" height="16"><title>3 conflict</title></rect><rect class="fill o-unknown" data-filter="outcome:unknown" x="99.866%" width="0.134%" height="16"><title>2 unknown</title></rect><svg y="18" width="100%" height="18" viewBox="0 0 100 18" preserveAspectRatio="none"><path class="wedge" d="M99.667 0H100V18H0z"/></svg><svg class="o-conflict" data-filter="outcome:conflict" x="0.000%" y="36" width="58.700%" height="40"><title>3 conflict</title>
        <rect class="tint" width="100%" height="40"/><rect class="edge" width="100%" height="3"/><use class="glyph" href="#g-conflict" x="11" y="14" width="15" height="15"/><text x="34" y="27">3</text></svg><svg class="o-unknown" data-filter="outcome:unknown" x="58.700%" y="36" width="41.300%" height="40"><title>2 unknown</title>
        <rect class="tint" width="100%" height="40"/><rect class="edge" width="100%" height="3"/><use class="glyph" href="#g-unknown" x="11" y="14" width="15" height="15"/><text x="34" y="27">2</text></svg></svg>
        "##);
    }

    #[test]
    fn it_is_shown_once_where_it_is_large_or_nothing() {
        for (counts, wanted) in [
            (&[(Outcome::Applied, 71), (Outcome::Invalid, 29)][..], true),
            (&[(Outcome::Applied, 70), (Outcome::Invalid, 30)], false),
            (&[(Outcome::Invalid, 1)], false),
            (&[(Outcome::Applied, 3), (Outcome::Unchanged, 1), (Outcome::Planned, 1)], false),
            (&[(Outcome::Applied, u64::MAX / 2), (Outcome::Failed, 1)], true),
        ] {
            let told = bar(&rows(counts)).unwrap().unwrap();
            assert_eq!(told.contains("class=\"wedge\""), wanted, "{counts:?}");
            assert_eq!(told.contains("height=\"76\""), wanted, "{counts:?}");
        }
    }

    /// Whatever the numbers, pieces lie beside each other, fill the width, and are wide enough.
    #[test]
    fn pieces_fill_the_width() {
        let counts: Vec<Vec<u64>> =
            vec![vec![1], vec![1, 1, 1], vec![1, 1_000_000, 3, 7, 11, 13, 1], vec![u64::MAX / 4; 3]];
        for rows in counts {
            for least in [0, LEAST] {
                let counts: Vec<(Outcome, u64)> =
                    Outcome::ALL.into_iter().zip(rows.iter().copied()).collect();
                let all = pieces(&counts, rows.iter().sum(), least);
                let mut end = 0;
                for piece in &all {
                    assert_eq!(piece.x.0, end, "{rows:?}");
                    assert!(piece.width.0 >= least, "{rows:?}");
                    end += piece.width.0;
                }
                assert_eq!(end, Percent::WHOLE.0, "{rows:?}");
            }
        }
    }
}
